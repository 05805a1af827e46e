"""Names of columns that hold times or parts of them, in several languages."""

import re

# The words for each part of a time; those of several parts stand with each of them.
WORDS = {
    "year": "year years yr yyyy fy jahr annee année an año ano anno jaar år aar rok rik год "
    "yearmonth "
    "年 年度 年份 연도 년도 년",
    "quarter": "quarter quarters qtr quartal trimestre trimester kvartal kwartaal kwartał qrtr "
    "四半期 季度 분기 kvartál",
    "month": "month months mon mo mm yyyymm ym yearmonth monthyear monat mois mes mês mese maand "
    "måned månad miesiąc měsíc kuukausi ay месяц 年月 년월 "
    "月 月份 월 연월",
    "week": "week weeks wk weeknum weekno isoweek yearweek yyyyww kw woche semaine semana "
    "settimana vecka uge uke tydzień týden viikko "
    "週 周 주",
    "day": "day days dd dy tag jour dia día giorno dag dzień den päivä gün 日 일",
    "yearday": "doy dayofyear yday yearday julian jday",
    "date": "date dates datum fecha dato dt ds data fec päivämäärä tarih дата ημερομηνία dátum "
    "datetime timestamp 日期 日付 날짜 일자",
    "clock": "time clock uhrzeit zeit hora heure ora tijd tid godzina czas klokkeslæt aika saat "
    "время horas",
    "hour": "hour hours hr hrs hh he hourending stunde std hora heure ora uur timme time godzina "
    "horas",
    "minute": "minute minutes minuto min mins",
    "second": "second seconds sekunde seconde segundo secondo sec",
    "interval": "interval intervals period periods settlement ptu periodo",
    "period": "period periods periode periodo période",
    "time": "datetime time timestamp times ts ds dates zeitstempel zeitpunkt zeit horodatage "
    "tidspunkt tiempo 时间 時間",
}
ROLES = {word: frozenset(role for role, words in WORDS.items() if word in words.split())
         for words in WORDS.values() for word in words.split()}  # fmt: skip
# "data" is a date in some languages and no more than data in others, "ay" and "an" are too short.
VAGUE = frozenset({
    "data", "tag", "an", "ay", "he", "min", "sec", "mon", "mo", "dy", "fy", "mm", "dd", "hh", "std",
    "den", "settlement", "interval", "intervals", "second", "seconds",
})  # fmt: skip
DOUBTFUL = frozenset({"data", "tag"})
# Words that say nothing about which part of a time a column holds.
NEUTRAL = frozenset({
    "of", "the", "calendar", "iso", "number", "num", "no", "nr", "name", "obs", "ref", "delivery",
    "trade", "begin", "start", "beginning", "ending", "end", "local", "utc", "reference", "e",
    "observation", "report", "ended", "starting", "commencing", "from", "der", "die", "des", "del",
    "de", "fiscal", "fy", "business", "oper", "settlement", "s",
})  # fmt: skip


def words_of(name: str) -> list[str]:
    """Return the words of a name of a column, in lower case.

    >>> words_of("openTime"), words_of("Hour Ending"), words_of("HE_1")
    (['open', 'time'], ['hour', 'ending'], ['he'])
    """
    apart = re.sub(r"([a-zà-ÿ])([A-ZÀ-Þ])", r"\1 \2", name)
    return [word.casefold() for word in re.findall(r"[^\W\d_]+", apart)]


def roles_of(name: str) -> frozenset[str]:
    """Return the parts of a time that a name speaks of.

    >>> sorted(roles_of("Quarter")), sorted(roles_of("yearmonth")), sorted(roles_of("price"))
    (['quarter'], ['month', 'year'], [])
    """
    words = [*words_of(name), *re.findall(r"[^\W\d_]+", name.casefold())]
    return frozenset(role for word in words for role in ROLES.get(word, ()))


def names_time(name: str) -> bool:
    """Whether a name says that the column holds times."""
    words = {*words_of(name), *re.findall(r"[^\W\d_]+", name.casefold())}
    return bool({word for word in words if word in ROLES} - VAGUE)


def may_name_time(name: str) -> bool:
    """Whether a name may be that of a time column: "data" is one in some languages.

    >>> may_name_time("Data"), names_time("Data"), may_name_time("price")
    (True, False, False)
    """
    return names_time(name) or bool(DOUBTFUL & {*words_of(name)})


def part_of(name: str, role: str) -> bool:
    """Whether a name says that a column is one part of a time, and nothing else.

    >>> part_of("Hour Ending", "hour"), part_of("Sales Year", "year"), part_of("MONTH", "month")
    (True, False, True)
    """
    words = words_of(name)
    joined = re.sub(r"[\W\d_]", "", name.casefold())
    if role in ROLES.get(joined, ()):
        return True
    return any(role in ROLES.get(word, ()) for word in words) and all(
        role in ROLES.get(word, ()) or word in NEUTRAL or ROLES.get(word) for word in words
    )


def role_of(name: str) -> str | None:
    """Return the part of a time that a name says a column holds."""
    order = ("date", "year", "quarter", "month", "week", "yearday", "day", "minute", "second")
    for role in (*order, "hour", "clock", "interval"):
        if part_of(name, role):
            return "period" if role == "interval" and "period" in words_of(name)[-1] else role
    return None
