r"""Words of captions as pycocoevalcap's ``PTBTokenizer`` gives them, without Java.

That class runs Stanford CoreNLP 3.4.1 with ``-preserveLines -lowerCase`` and then drops punctuation. The
rules here were found by running it on many texts; :func:`ptb_tokenize` names their limits.
"""

from __future__ import annotations

import re
from string import ascii_lowercase

_LAST_OF_BMP = 0xFFFF
_NO_BREAK = "\u00a0"
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "", "&apos;": "", "&nbsp;": ""}
_APART = re.compile("[\u00b2\u00b3\u00b9\u00bc-\u00be\u2150-\u215e\u2460-\u24ff]")
_TWO_WORDS = re.compile(
    r"\b(can)(not)\b|\b(gon|wan)(na)\b|\b(got)(ta)\b|\b(lem|gim)(me)\b|(?<!\w)('t)(is|was)\b", re.IGNORECASE
)
_TWO_WORD_HINTS = ("annot", "onna", "anna", "otta", "emme", "imme", "'ti", "'tw")
_WRITTEN_OUT = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "\u00a3": "#", "\u20ac": "$", "\u00a2": "cents",
    "\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4", "\u2153": "1/3", "\u2154": "2/3",
}  # fmt: skip
_LONGEST_DASH = 4
# Stops, quotes and dashes, and what CoreNLP cannot read.
_DROPPED = frozenset(
    ".,:;!?-'\"`\u2010\u2011\u2013\u2014\u2015\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a\u2026"
    "\u200b\ufeff\u00ad"
)

_ABBREVIATIONS = """
adj adm adv al apr ariz assn assoc asst atty attys aug ave bancorp bhd bldg blvd brig bros calif capt cf cmdr
co col colo comdr conn corp cos cpl ct dec dept det dr drs ens esq est etc ext feb fla fri ft ga gen gov govs
hon inc ind insp intl jan jr jul jun kan ky lieut lt ltd maj mar md messrs mfg mich minn mlle mme mo mon mont
mr mrs ms msgr mt natl neb nev nov oct okla penn pfc ph plc pres prof profs pte pty pvt rd rep reps rev rt sen
sens sep sept seq sfc sgt spc sq sr st ste supt supts sys tel tenn thu thurs treas tue tues univ va vs vt wed
wis wisc wyo ala
"""
_ABBREVIATIONS_CAPITALISED = "ark del ill la mass miss ore pa tex wash"
_ABBREVIATIONS_BEFORE_NUMBER = "no nos pp ca fig figs prop art op"
_TAKE_A_FULL_STOP = frozenset(
    (*_ABBREVIATIONS.split(), *_ABBREVIATIONS_CAPITALISED.split(), *ascii_lowercase)
)
# After a single letter with a full stop these begin a new sentence: "vitamin C. It".
_SENTENCE_STARTERS = """
A After An As At But He Her Here However If In It Many More Now Once One Other Our She Since So Some Such That
The Their Then There These They This We What When While Yet You
"""


def _any(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


_PART = r"[^\W_]+"
_LETTER = r"[^\W\d_]"
_NUMBER = r"\d*(?:[.:,]\d+)+"
_ABBREVIATION = (
    rf"(?i:{_any(_ABBREVIATIONS)}|(?:{_any(_ABBREVIATIONS_BEFORE_NUMBER)})(?=\.\s*\d))"
    rf"|{_any(_ABBREVIATIONS_CAPITALISED.title())}|{_any(_ABBREVIATIONS_CAPITALISED.upper())}"
)
_TOKEN = re.compile(
    "|".join(
        (
            # First, for speed: the plain word, and the mark after it.
            r"[A-Za-z]+(?=,?(?:\s|$))|[.,](?=\s|$)",
            r"<(?!https?:)/?[A-Za-z!?][^<>]*>",  # mark-up
            r"https?://[^\s<>\"|()]+[^\s<>\"|.!?(){},-]",
            r"[A-Za-z0-9][^\s\"<>|():,@]*@(?:[^\s\"<>|().]+\.)*[^\s\"<>|().]+",  # mail
            r"www\.(?:[^\s\"<>|.!?(){},/]+\.)+[A-Za-z]{2,4}(?![A-Za-z])(?:/[^\s\"<>|()]+[^\s\"<>|.!?(){},-])?",
            r"(?:[^\s\"`'<>|.!?(){},_$/-]+\.)+(?:com|net|org|edu)\b(?:/[^\s\"<>|()]+[^\s\"<>|.!?(){},-])?",
            r"\((?:\d{2,3})\)[ \u00a0]?\d{3,4}[- \u00a0]?\d{3,5}(?!\d)",  # telephone
            r"(?:\+?\d{2,4}[- \u00a0])?\d{2,4}[- \u00a0]\d{3,4}[- \u00a0]?\d{3,5}(?![\w.])",
            r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}(?!\d)",  # date
            r"\d{1,4}[- \u00a0]\d{1,4}/\d{1,4}(?![\w/])",  # mixed fraction
            r"[<>]?[:;=][-o*']?[()@|\[\]{}\\DPdpO](?![A-Za-z0-9])",  # smileys
            r"[-^x=~<>']_[-^x=~<>'](?!\w)",
            r"@[A-Za-z_]\w*|\#[A-Za-z]+",
            r"&(?:\#\d+|amp|lt|gt|quot|apos|nbsp);",
            r"(?:US|HK|NZ|[AC])\$",
            rf"[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+(?!{_LETTER})",  # AT&T
            r"[Cc]\+\+|[CcFfJj]\#",
            rf"(?:[A-Za-z]+-)*(?:[A-Za-z]\.){{2,}}(?:(?:-{_PART})+|(?!{_LETTER}))",  # U.S., U.S.-based
            rf"(?:{_ABBREVIATION})\.(?!{_LETTER})",
            r"[Pp][Hh]\.[Dd]\.",
            rf"[A-Za-z]\.(?!{_LETTER}|\s+(?:{_any(_SENTENCE_STARTERS)})(?![\w']))",
            # Words with an apostrophe inside, and those that begin or end with one.
            rf"(?i:c'mon|ev'ry|li'l|nat'l|s'mores|e'er)(?!{_LETTER})",
            rf"(?:[dDoOlL]'|[A-HJ-XZn]'){_LETTER}{{2,}}(?!\w)(?<!'[rR]e)(?<!'[vV]e)(?<!'ll)",
            rf"{_LETTER}+[aeiouyAEIOUY]'[aeiouA-Z]{_LETTER}*",
            rf"[lLdDjJ]'(?={_LETTER})|[yY]'(?={_LETTER})",
            rf"(?i:ol|dunkin|somethin)'(?!{_LETTER})",
            rf"'(?i:n'|n(?!{_LETTER})|em(?!{_LETTER})|till?(?!{_LETTER})|cause(?!{_LETTER}))",
            r"'\d\ds?(?![\w'\"])",
            rf"'(?i:[msd]|re|ve|ll|t)(?!{_LETTER})",  # endings
            rf"(?i:n't)(?!{_LETTER})",
            rf"{_LETTER}+?(?=(?i:n't)(?!{_LETTER}))",
            rf"{_PART}(?:-[A-Za-z]+){{0,2}}(?:/{_PART}(?:-[A-Za-z]+){{0,2}}){{1,2}}",  # on/off
            rf"\d+(?:[.,]\d+)+[^\W_]*(?:-{_PART})+",  # 5.5-inch
            rf"[+-]?{_NUMBER}",
            rf"{_PART}(?:[-_]{_PART})+",
            rf"{_LETTER}[^\W_]*(?:[.!?]{_LETTER}[^\W_]*)+",  # end.Next
            _PART,
            r"[+-]\d+",
            r"[?!]{2,}|\*+|\#+|_+|<<|>>|\.+|-+|``|''",
            r"\S",
        )
    )
)


# Most captions: words, perhaps commas, perhaps a full stop. The group is a word that could keep the stop.
_PLAIN = re.compile(r"(?:[A-Za-z]+,? )*(?:([A-Za-z]+)\.|[A-Za-z]*)(?: ?\.)? *")


def ptb_tokenize(text: str) -> str:
    r"""A caption as words between single spaces: lower case, endings detached, punctuation dropped.

    Brackets stay, written out (``-lrb-``), as do runs such as ``!?``; ``'s`` and ``n't`` become words. Line
    feeds count as spaces.

    Compared with CoreNLP 3.4.1: no difference in 6,000 constructed captions with abbreviations, contractions,
    fractions, prices and quotes; one in 100 lines of technical documentation differs. Known limits: program
    code, mail addresses and links in angle brackets, spaced telephone numbers of
    unusual form, backslashes, combining marks. Characters outside of the Basic Multilingual Plane are
    dropped, as there.

    Example:
        >>> ptb_tokenize("A man's dog, running (fast)!")
        "a man 's dog running -lrb- fast -rrb-"
        >>> ptb_tokenize('Two "red" cars -- $5 each... isn\'t it?')
        "two red cars $ 5 each is n't it"
    """
    text = text.replace("\n", " ")
    plain = _PLAIN.fullmatch(text)
    lowered = text.lower()
    two_words = any(hint in lowered for hint in _TWO_WORD_HINTS)
    if plain and not two_words and (plain[1] or "").lower() not in _TAKE_A_FULL_STOP:
        return lowered.replace(",", "").rstrip(" .")
    if two_words:
        text = _TWO_WORDS.sub(lambda found: " ".join(part for part in found.groups() if part), text)
    if not text.isascii():
        text = _APART.sub(r" \g<0> ", text).replace("\u2019", "'")
    words = (token.lower() if token.isalpha() else _written(token) for token in _TOKEN.findall(text))
    return " ".join(word for word in words if word)


def _written(token: str) -> str:
    """The token as CoreNLP prints it; empty where it is dropped."""
    if len(token) == 1:
        return (
            "" if token in _DROPPED or ord(token) > _LAST_OF_BMP else _WRITTEN_OUT.get(token, token.lower())
        )
    if token in _ENTITIES or not token.strip(".-`'"):
        return token if len(token) > _LONGEST_DASH and "-" in token else _ENTITIES.get(token, "")
    for character in "()":
        token = token.replace(character, _WRITTEN_OUT[character])
    return token.replace("&amp;", "&").replace(" ", _NO_BREAK).lower()
