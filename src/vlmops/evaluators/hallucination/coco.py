"""A vocabulary of the 80 object categories of COCO (Lin et al. 2014), with everyday words for them.

The category names are COCO's. The other words are this project's own choice, not the list of the CHAIR paper
(``data/synonyms.txt`` of its repository, BSD 2-Clause). Figures made with them compare with one another, not
with published ones; to reproduce those, read that list with :meth:`ObjectVocabulary.from_lines`.
"""

from __future__ import annotations

from functools import cache

from vlmops.evaluators.hallucination.vocabulary import ObjectVocabulary

_CATEGORIES = """
person, adult, athlete, baby, batter, biker, boy, bride, catcher, chef, child, cook, cowboy, crowd, cyclist, driver, family, farmer, father, female, firefighter, fireman, friend, gentleman, girl, groom, guy, human, infant, kid, lady, male, man, mother, officer, passenger, pedestrian, player, policeman, rider, skateboarder, skater, skier, snowboarder, soldier, student, surfer, swimmer, teenager, toddler, tourist, umpire, waiter, woman, worker
bicycle, bike, tricycle, unicycle
car, automobile, cab, convertible, hatchback, jeep, limousine, minivan, sedan, suv, taxi, van
motorcycle, moped, motor bike, motor cycle, motorbike, scooter
airplane, aeroplane, air plane, aircraft, airliner, biplane, jet, jetliner, plane
bus, double-decker, minibus, schoolbus, trolleybus
train, freight train, locomotive, subway train, tramway
truck, firetruck, lorry, pickup
boat, canoe, dinghy, ferry, gondola, kayak, motorboat, rowboat, sailboat, ship, speedboat, tugboat, yacht
traffic light, stop light, stoplight, street light, traffic signal
fire hydrant, hydrant
stop sign
parking meter
bench, pew
bird, crow, dove, duck, eagle, finch, flamingo, gull, hawk, hen, heron, hummingbird, ostrich, owl, parakeet, parrot, peacock, pelican, penguin, pigeon, robin, rooster, seagull, sparrow, swan
cat, feline, kitten, kitty, tabby
dog, beagle, bulldog, canine, chihuahua, collie, corgi, dachshund, dalmatian, hound, husky, labrador, poodle, pug, pup, puppy, retriever, terrier
horse, colt, foal, mare, mustang, pony, stallion
sheep, ewe, lamb
cow, bovine, bull, calf, cattle, heifer, ox
elephant
bear, cub, grizzly, panda
zebra
giraffe
backpack, knapsack, rucksack
umbrella, parasol
handbag, pocketbook, purse
tie, bow tie, necktie
suitcase, briefcase, luggage, suit case
frisbee
skis, ski
snowboard
sports ball, baseball, basketball, football, soccer ball, tennis ball, volleyball
kite
baseball bat
baseball glove, baseball mitt
skateboard
surfboard, bodyboard
tennis racket, racket, racquet, tennis racquet
bottle
wine glass, goblet, wineglass
cup, mug, teacup
fork
knife, pocketknife
spoon
bowl
banana
apple
sandwich, burger, cheeseburger, grilled cheese, hamburger, panini
orange
broccoli
carrot
hot dog, hotdog
pizza
donut, doughnut
cake, birthday cake, cheesecake, cupcake
chair, armchair, barstool, recliner, seat, stool
couch, futon, loveseat, settee, sofa
potted plant, houseplant
bed, bunk bed
dining table, coffee table, desk, kitchen table, table, tabletop
toilet, commode, urinal
tv, television
laptop, laptop computer, netbook
mouse, computer mouse
remote, remote control
keyboard
cell phone, cellphone, iphone, mobile phone, phone, smartphone
microwave
oven, stove, stove top oven
toaster
sink
refrigerator, freezer, fridge
book, magazine, novel
clock
vase
scissors, scissor
teddy bear, teddy, teddybear
hair drier, hair dryer, hairdryer
toothbrush
"""  # noqa: E501 - one category a line, as such lists are written

_ANIMALS = (
    "animal",
    "bear",
    "bird",
    "cat",
    "cow",
    "cub",
    "dog",
    "elephant",
    "giraffe",
    "horse",
    "sheep",
    "zebra",
)
_AGES = ("adult", "baby")
_CARRIERS = ("jet", "train")


@cache
def coco_vocabulary() -> ObjectVocabulary:
    """COCO's 80 object categories, with everyday words for them.

    As in CHAIR, "baby" or "adult" before an animal and "passenger" before a vehicle name no person, a toilet
    seat is no chair, and home plates and train tracks are neither plates nor trains.

    Example:
        >>> [mention.object for mention in coco_vocabulary().mentions("A baby bear and men on bikes")]
        ['bear', 'person', 'bicycle']
    """
    readings = {f"{age} {animal}": animal for age in _AGES for animal in _ANIMALS}
    readings |= {f"passenger {carrier}": carrier for carrier in _CARRIERS}
    readings |= {"toilet seat": "toilet", "home plate": "home-plate", "train track": "train-track"}
    return ObjectVocabulary.from_lines(
        _CATEGORIES.strip().splitlines(), readings=readings, silenced={"seat": "toilet"}
    )
