"""The drawn documents of the demo: what they say, how they look, how worn they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.demo.page import Row, Style, centred, draw, plain, rule, spread, text_of_rows
from vlmops.demo.receipt import Item, Receipt
from vlmops.demo.wear import Wear

if TYPE_CHECKING:
    from collections.abc import Sequence

SANS = Style(font="DejaVuSans.ttf", bold_font="DejaVuSans-Bold.ttf")
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One drawn document.

    Attributes:
        id: Its id and the stem of its file's name.
        rows: What stands on it; their wording is the ground truth.
        style: How the clean page looks.
        wear: What happened to the page.
        difficulty: How hard it is to read.
        fields: The ground truth of a receipt or invoice; ``None`` for other documents.
        language: Two-letter code.
    """

    id: str
    rows: Sequence[Row]
    style: Style
    wear: Wear
    difficulty: str
    fields: dict[str, Any] | None = None
    language: str = "en"

    @property
    def file_name(self) -> str:
        """Path of its picture in the folder."""
        return f"images/{self.id}{self.wear.suffix}"

    def picture(self) -> bytes:
        """The encoded picture, the same on every call."""
        seed = int.from_bytes(self.id.encode()[-4:], "big")
        return self.wear.encode(self.wear.apply(draw(self.rows, self.style), seed))

    def record(self) -> dict[str, Any]:
        """Its line of ``metadata.jsonl``."""
        return {
            "file_name": self.file_name,
            "id": self.id,
            "text": text_of_rows(self.rows),
            "fields": self.fields,
            "split": "test",
            "origin": "drawn",
            "language": self.language,
            "difficulty": self.difficulty,
            "licence": LICENCE,
        }


CAFE = Receipt(
    merchant="Harbour Lane Coffee",
    address=("14 Quay Street, Dunmore", "Tel 555 0142"),
    date="2025-03-14",
    printed_date="14 Mar 2025  09:26",
    items=(Item("Flat white", 2, 7.80), Item("Almond croissant", 1, 3.60), Item("Sparkling water", 1, 2.25)),
    currency="${}",
    included=(("Card", 13.65),),
)
GROCER = Receipt(
    merchant="GREEN VALLEY MARKET",
    address=("Store 118   Register 3",),
    date="2025-01-27",
    printed_date="01/27/2025 18:41",
    items=(
        Item("Whole milk 1 gal", 1, 3.89),
        Item("Brown eggs large", 2, 8.58),
        Item("Sourdough bread", 1, 4.75),
        Item("Baby spinach", 3, 8.97),
        Item("Olive oil 500 ml", 1, 11.49),
        Item("Cheddar mild", 1, 5.20),
    ),
    subtotal_label="SUBTOTAL",
    extras=(("Sales tax 2%", 0.86),),
)
HARDWARE = Receipt(
    merchant="Miller & Sons Hardware",
    address=("Unit 6, Old Mill Road", "VAT No 402 7781 15"),
    date="2024-11-08",
    printed_date="Date: 2024-11-08   Till 02",
    items=(
        Item("Wood screws 4x40", 3, 13.47),
        Item("Masking tape 36 mm", 2, 6.90),
        Item("Paint brush set", 1, 12.99),
        Item("Sanding block", 4, 11.16),
    ),
    currency="£{}",
    total_label="Total due",
    included=(("VAT included", 7.42),),
    closing="Returns within 30 days with receipt",
)
BAKERY = Receipt(
    merchant="Bäckerei Sonnenschein",
    address=("Große Gasse 7, 04103 Leipzig", "Steuer-Nr. 231/144/05562"),
    date="2025-05-02",
    printed_date="02.05.2025  07:58 Uhr",
    items=(Item("Dinkelbrötchen", 6, 4.74), Item("Käsekuchen Stück", 2, 6.40), Item("Kaffee groß", 1, 3.10)),
    currency="{} €",
    decimal=",",
    total_label="SUMME",
    included=(("inkl. 7% MwSt", 0.93),),
    closing="Vielen Dank für Ihren Einkauf",
)
PHARMACY = Receipt(
    merchant="Northgate Pharmacy",
    address=("Served by: Anna   Ref 88214",),
    date="2025-02-19",
    printed_date="19/02/2025 12:07",
    items=(
        Item("Vitamin D3 tablets", 1, 6.49),
        Item("Cough syrup 200 ml", 1, 5.25),
        Item("Plasters assorted", 2, 5.98),
    ),
    total_label="Amount due",
    closing="Please keep out of reach of children",
)
BISTRO = Receipt(
    merchant="La Petite Table",
    address=("Table 12   2 guests",),
    date="2025-06-21",
    printed_date="21 June 2025  20:48",
    items=(
        Item("Onion soup", 2, 15.00),
        Item("Duck confit", 1, 22.50),
        Item("Sea bass fillet", 1, 24.00),
        Item("House red carafe", 1, 14.00),
        Item("Lemon tart", 2, 13.80),
    ),
    extras=(("Service 10%", 8.93),),
    total_label="Total to pay",
)
TAXI = Receipt(
    merchant="CITY CAB 4417",
    address=("Driver 20931",),
    date="2025-04-05",
    printed_date="05.04.2025  23:15",
    items=(Item("Fare 8.2 km", 1, 19.40), Item("Night rate", 1, 3.50), Item("Airport fee", 1, 4.00)),
    extras=(("Tip", 3.00),),
    closing="Ride safe",
)
BRACKETS = Receipt(
    merchant="Kestrel Workshop Supplies",
    address=("22 Foundry Way, Sheffield", "accounts@kestrel.example"),
    date="2025-04-30",
    printed_date="Date 30 April 2025",
    items=(
        Item("Ceramic brackets", 12, 40.80),
        Item("Steel hinge pair", 8, 30.00),
        Item("Brass door knob", 4, 38.20),
        Item("Wall anchor pack", 5, 11.25),
    ),
    extras=(("Shipping", 9.50), ("VAT 20%", 25.95)),
    total_label="Total",
    closing="Payment within 14 days of the invoice date",
)
DESIGN = Receipt(
    merchant="Studio Lindqvist",
    address=("Graphic design and print",),
    date="2025-07-15",
    printed_date="2025-07-15",
    items=(
        Item("Logo draft", 2, 480.00),
        Item("Business cards", 250, 112.50),
        Item("Poster A2", 10, 89.00),
    ),
    extras=(("Tax 25%", 170.38),),
    total_label="Amount due",
    closing="Bank transfer to account 8842 1107",
)

SHIPPING_LABEL = (
    plain("PRIORITY MAIL", size=1.5, bold=True),
    rule(),
    plain("From: Blue Heron Books, 9 Canal Row"),
    plain("Portland OR 97205"),
    plain(),
    plain("Ship to:", bold=True),
    plain("Ms Eleanor Whitcombe", size=1.25),
    plain("Flat 3, 27 Marlowe Terrace", size=1.25),
    plain("Seattle WA 98103", size=1.25),
    rule(),
    spread("Parcel 2 of 3", "Weight 4.60 kg"),
    centred("1Z 884 20 0317 5529", size=1.3, bold=True),
)
PARKING_SIGN = (
    centred("NO PARKING", size=1.7, bold=True),
    centred("Monday to Friday"),
    centred("8 am to 6 pm"),
    centred("except permit holders", size=0.8),
)
INGREDIENTS = (
    plain("Oat & Raisin Granola Bar", size=1.3, bold=True),
    plain("Ingredients: whole grain oats (42%), raisins (18%), glucose"),
    plain("syrup, sunflower oil, honey (6%), rice flour, desiccated"),
    plain("coconut, salt, natural flavouring, emulsifier: soya lecithin."),
    plain("May contain traces of milk, sesame and other nuts.", bold=True),
    plain("Store in a cool dry place away from direct sunlight."),
    plain("Net weight 45 g. Best before end: see back of pack."),
)
NOTE = (
    plain("Dear Tom,"),
    plain("the key is under the blue flower pot."),
    plain("Please feed the cat twice a day and"),
    plain("water the tomatoes on Thursday."),
    plain("Back on the 16th. Thanks a lot!"),
    plain("Maria"),
)

DRAWINGS: tuple[Drawing, ...] = (
    Drawing(
        id="receipt-cafe",
        rows=CAFE.rows(),
        style=Style(),
        wear=Wear(noise=2, quality=90),
        difficulty="easy",
        fields=CAFE.fields,
    ),
    Drawing(
        id="receipt-grocer",
        rows=GROCER.rows(),
        style=Style(size=20, paper=(244, 242, 236)),
        wear=Wear(fade=0.45, noise=9, dropout=0.02, rotation=-1.2, quality=70, desk=(92, 74, 60)),
        difficulty="medium",
        fields=GROCER.fields,
    ),
    Drawing(
        id="receipt-hardware",
        rows=HARDWARE.rows(),
        style=Style(font="DejaVuSansCondensed.ttf", bold_font="DejaVuSans-Bold.ttf"),
        wear=Wear(rotation=2.6, shadow=0.5, noise=5, blur=0.5, quality=75, desk=(120, 104, 88)),
        difficulty="medium",
        fields=HARDWARE.fields,
    ),
    Drawing(
        id="receipt-bakery",
        rows=BAKERY.rows(),
        style=Style(),
        wear=Wear(noise=4, rotation=-0.8, quality=80, desk=(215, 205, 190)),
        difficulty="easy",
        fields=BAKERY.fields,
        language="de",
    ),
    Drawing(
        id="receipt-pharmacy",
        rows=PHARMACY.rows(),
        style=Style(),
        wear=Wear(scale=0.5, blur=1.0, noise=9, quality=45),
        difficulty="hard",
        fields=PHARMACY.fields,
    ),
    Drawing(
        id="receipt-bistro",
        rows=BISTRO.rows(),
        style=Style(font="DejaVuSerif.ttf", bold_font="DejaVuSerif.ttf", width=600, paper=(250, 244, 230)),
        wear=Wear(lean=0.09, rotation=1.5, shadow=0.3, noise=4, quality=75, desk=(70, 48, 36)),
        difficulty="medium",
        fields=BISTRO.fields,
    ),
    Drawing(
        id="receipt-taxi",
        rows=TAXI.rows(),
        style=Style(width=480),
        wear=Wear(
            fade=0.74, blur=0.9, noise=16, dropout=0.05, rotation=3.4, quality=50, desk=(178, 172, 166)
        ),
        difficulty="hard",
        fields=TAXI.fields,
    ),
    Drawing(
        id="invoice-workshop",
        rows=BRACKETS.invoice_rows("2025-0417"),
        style=Style(font=SANS.font, bold_font=SANS.bold_font, size=20, width=860, margin=50),
        wear=Wear(),
        difficulty="easy",
        fields=BRACKETS.fields,
    ),
    Drawing(
        id="invoice-design",
        rows=DESIGN.invoice_rows("A-1093"),
        style=Style(font="DejaVuSerif.ttf", bold_font="DejaVuSerif.ttf", size=19, width=800, margin=56),
        wear=Wear(
            fade=0.55, blur=1.1, noise=14, rotation=-1.8, shadow=0.35, quality=30, desk=(200, 196, 190)
        ),
        difficulty="hard",
        fields=DESIGN.fields,
    ),
    Drawing(
        id="label-shipping",
        rows=SHIPPING_LABEL,
        style=Style(font=SANS.font, bold_font=SANS.bold_font, width=600),
        wear=Wear(rotation=-2.2, lean=0.04, noise=5, quality=75, desk=(186, 148, 104)),
        difficulty="medium",
    ),
    Drawing(
        id="label-ingredients",
        rows=INGREDIENTS,
        style=Style(
            font="DejaVuSansCondensed.ttf",
            bold_font=SANS.bold_font,
            size=17,
            width=640,
            ink=(255, 246, 222),
            paper=(96, 58, 30),
        ),
        wear=Wear(lean=0.05, blur=0.5, noise=6, quality=70, desk=(60, 60, 64)),
        difficulty="hard",
    ),
    Drawing(
        id="sign-parking",
        rows=PARKING_SIGN,
        style=Style(
            font=SANS.font,
            bold_font=SANS.bold_font,
            size=44,
            width=620,
            margin=60,
            ink=(176, 28, 34),
            paper=(246, 246, 244),
            frame=True,
        ),
        wear=Wear(lean=0.12, rotation=-4, shadow=0.45, blur=0.8, noise=6, quality=70, desk=(94, 118, 96)),
        difficulty="medium",
    ),
    Drawing(
        id="note-handwriting",
        rows=NOTE,
        style=Style(
            font="DancingScript-Regular.otf",
            bold_font="DancingScript-Regular.otf",
            size=40,
            width=680,
            leading=1.5,
            ink=(28, 44, 120),
            paper=(252, 248, 224),
        ),
        wear=Wear(rotation=1.8, noise=5, shadow=0.25, quality=75, desk=(140, 120, 96)),
        difficulty="hard",
    ),
)
"""All drawn documents of the set."""
