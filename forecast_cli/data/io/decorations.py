"""Numbers with more around them: currencies, percent signs, parentheses, K, M and B, units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from .number_formats import BLANKS, MINUS

# A minus sign, the Unicode one, or a dash in its place.
DASH = "\u2013"
NEGATIVE = ("-", MINUS, DASH)
SIGN = f"[-+{MINUS}{DASH}]?"
DECORATED = (
    rf"(?P<open>\(?)\s*(?P<sign>{SIGN})\s*(?P<before>[^\d\s.,()+{MINUS}{DASH}-][^\d,()+{MINUS}-]*?)?"
    rf"\s*(?P<inner>{SIGN})\s*(?P<number>[.,]?\d(?:[\d.,{BLANKS}]*[\d.,])?)(?P<power>[eE][-+]?\d+)?"
    rf"(?P<after>\s*[^\d\s()+{MINUS}-][^\d()+{MINUS}-]*?[23]?)?\s*(?P<close>\)?)"
    rf"(?P<last>\s*[-{MINUS}]?)"
)
# The powers of ten that letters and words after a number stand for.
POWERS = {
    **dict.fromkeys(("k", "tsd", "thousand"), 3),
    **dict.fromkeys(("M", "mm", "mn", "mln", "mio", "million", "millions"), 6),
    **dict.fromkeys(("b", "bn", "bln", "mrd", "billion", "billions"), 9),
    **dict.fromkeys(("T", "tn", "trillion", "trillions"), 12),
}
# A million where other letters or a currency say so, else metres.
METRES, MILLION = "m", 6
# Separated by blanks.
SYMBOLS = (
    "$ € £ ¥ ￥ ₩ ₹ ₽ ₺ ₪ ₫ ₱ ₴ ฿ ₦ ₿ R$ US$ A$ AU$ C$ CA$ NZ$ HK$ S$ NT$ kr kr. Kr zł Kč Ft Fr. "
    "SFr. Rs Rs. Rp Euro euro 元 円 원 lei"
)
CODES = (
    "AED ARS AUD BGN BRL BTC CAD CHF CLP CNH CNY COP CZK DKK EGP ETH EUR GBP GBX HKD HRK HUF IDR "
    "ILS INR ISK JPY KES KRW KWD KZT MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RMB RON RSD RUB "
    "SAR SEK SGD THB TRY TWD UAH USD USDT UYU VND XAF XOF ZAR"
)
CURRENCIES = sorted(f"{SYMBOLS} {CODES}".split(), key=len, reverse=True)
UNIT_WORDS = (
    "kg g mg t lb lbs oz l L ml hl km cm mm mi ft h min s ms W kW MW GW Wh kWh MWh GWh TWh V kV A "
    "mA Hz Pa hPa kPa bar mbar mb m/s km/h mph kn kt m³ m3 m² m2 m³/s m3/s ppm ppb pcs pcs. pc "
    "unit units Stk Stk. St. Stück bbl gal J kJ MJ GJ kcal °C °F ° ºC ℃ C F pt pts bps µg/m³ "
    "µg/m3 ug/m3 mg/l"
)
UNITS = frozenset(UNIT_WORDS.split())
PERCENT = frozenset(("%", "‰", "pct", "percent"))


@dataclass(frozen=True)
class Affix:
    """What is written with a number: a currency, the power of ten of a suffix, a unit."""

    currency: str = ""
    power: int = 0
    unit: str = ""


@dataclass(frozen=True)
class Plain:
    """Numbers without what was around them.

    Args:
        cells: Text of signs, digits and exponents, by row; null where missing.
        examples: A row for each way of writing.
        percent: Whether they are percentages.
    """

    cells: pa.ChunkedArray
    examples: tuple[int, ...]
    percent: bool


@dataclass(frozen=True)
class _Number:
    """A cell taken apart: the number as written, and the ways in which it is decorated."""

    number: str
    power: int
    affix: Affix
    ways: tuple[str, ...]


@dataclass(frozen=True)
class Odd:
    """The first row that is no number, and what was expected there."""

    row: int
    expected: str = "A number"


def undecorated(cells: pa.ChunkedArray) -> Plain | Odd:
    """Return text as plain numbers, or the first row that is none.

    Percentages stay as they are written; K, M and B become powers of ten. A currency, a unit and a
    percent sign must be those of all cells, which only a zero may lack.
    """
    coded = cells.combine_chunks().dictionary_encode()
    numbers: list[_Number] = []
    for place, cell in enumerate(coded.dictionary.to_pylist()):
        number = _taken_apart(cell)
        if number is None:
            return Odd(_row(coded, place))
        numbers.append(number)
    if any(each.affix.power or each.affix.currency for each in numbers):
        numbers = [_in_millions(each) for each in numbers]
    odd = _odd(numbers)
    if odd is not None:
        beside = next(filter(None, (each.affix.unit or each.affix.currency for each in numbers)))
        return Odd(_row(coded, odd), f'A number with "{beside}", as in other rows,')
    texts = [f"{each.number}e{each.power + each.affix.power}" if each.power + each.affix.power
             else each.number for each in numbers]  # fmt: skip
    ways: dict[str, int] = {}
    for place, each in enumerate(numbers):
        for way in each.ways:
            ways.setdefault(way, place)
    examples = tuple(_row(coded, place) for place in dict.fromkeys(ways.values()))
    percent = any(each.affix.unit in PERCENT for each in numbers)
    plain = pa.array(texts, pa.string()).take(coded.indices)
    return Plain(pa.chunked_array([plain]), examples, percent)


def is_number(cell: str) -> bool:
    """Whether a cell is a number, maybe with a currency, a percent sign or K, M, B."""
    found = _taken_apart(cell)
    return found is not None and found.affix.unit in ("", *PERCENT)


def _row(coded: pa.DictionaryArray, place: int) -> int:
    """Return the first row with an entry of the dictionary."""
    return int(pc.index(coded.indices, place).as_py())


def _odd(numbers: Sequence[_Number]) -> int | None:
    """Return the first number that is in another currency or unit than the first; None: none."""
    for part in ("currency", "unit"):
        beside = [getattr(each.affix, part) for each in numbers]
        known = next(filter(None, beside), "")
        for place, own in enumerate(beside):
            # Sums are often without their currency, but never without the unit.
            is_zero = not re.search("[1-9]", numbers[place].number)
            if own != known and (own or not (part == "currency" or is_zero)):
                return place
    return None


def _taken_apart(cell: str | None) -> _Number | None:
    """Return a cell as a number and what is around it; None where it is no number."""
    found = re.fullmatch(DECORATED, cell or "")
    if found is None:
        return None
    part = found.groupdict()
    closed, last = bool(part["open"]), part["last"].strip()
    signs = [part["sign"], part["inner"], last]
    before, after = affix(part["before"] or ""), affix(part["after"] or "")
    if closed != bool(part["close"]) or sum(map(bool, signs)) + closed > 1:
        return None
    if before is None or after is None or before.power or before.unit:
        return None
    if before.currency and (after.currency or after.unit not in ("", METRES)):
        return None
    negative = closed or any(sign in NEGATIVE for sign in signs)
    both = replace(after, currency=before.currency or after.currency)
    sign = next(filter(None, signs), "")
    ways = ["parentheses"] * closed + [f"last {last}"] * bool(last) + [f"{both}"]
    ways += [sign] * (sign in NEGATIVE[1:])
    number = ("-" if negative else "") + part["number"]
    power = int((part["power"] or "e0")[1:])
    return _Number(number, power, both, tuple(way for way in ways if way != f"{Affix()}"))


@cache
def affix(text: str) -> Affix | None:
    """Return what a text beside a number means; None where that is not known.

    >>> affix(" Mio. €"), affix("kWh").unit, affix("abc")
    (Affix(currency='€', power=6, unit=''), 'kWh', None)
    """
    word = text.strip()
    if word in UNITS or word in PERCENT or word == METRES:
        return Affix(unit=word)
    if (power := _power(word)) is not None:
        # A letter apart from the number may be a mark of a footnote.
        return None if power and text.startswith(" ") and word in ("b", "T") else Affix(power=power)
    for currency in CURRENCIES:
        if not (word.startswith(currency) or word.endswith(currency)):
            continue
        for rest in (word.removeprefix(currency), word.removesuffix(currency)):
            power = MILLION if rest.strip() == METRES else _power(rest.strip())
            if rest != word and power is not None:
                return Affix(currency, power)
    return None


def _power(word: str) -> int | None:
    """Return the power of ten that a word stands for: 0 for none, None where it is unknown."""
    if not word:
        return 0
    bare = word.rstrip(".")
    return POWERS.get(bare, POWERS.get(bare.lower()) if bare not in (METRES, "t") else None)


def _in_millions(number: _Number) -> _Number:
    """Return the number with an m as a million."""
    if number.affix.unit != METRES:
        return number
    return replace(number, affix=replace(number.affix, unit="", power=MILLION))
