"""Small words by language, by which breaks are judged: what begins a phrase, and what belongs to the word behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Lexicon:
    """Words of one language in small letters, with straight apostrophes. A word may stand in several sets.

    `loose`: prepositions that tie a phrase to the noun before it. `linking`: coordinating conjunctions, `clausal`:
    those that begin a clause. `subjects`: pronouns whose verb comes next, `objects`: those behind their verb.
    `degrees`: words that belong to the one behind them (very, not). `particles`: prepositions that may end a clause.
    `name_parts`: small words inside names. `abbreviated`: words whose full stop ends no sentence. `pairs` stay
    together. `adjective_ends`: endings of adjectives behind an article. `verb_last`: verbs stand at the end of a
    clause, so that a break may follow its subject, but not part "gezegd | is".
    """

    articles: frozenset[str] = frozenset()
    determiners: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    linking: frozenset[str] = frozenset()
    clausal: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    auxiliaries: frozenset[str] = frozenset()
    degrees: frozenset[str] = frozenset()
    particles: frozenset[str] = frozenset()
    name_parts: frozenset[str] = frozenset()
    abbreviated: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    adjectives: frozenset[str] = frozenset()
    adjective_ends: tuple[str, ...] = ()
    verb_last: bool = False

    @cached_property
    def openings(self) -> frozenset[str]:
        """Words that begin a clause or a phrase."""
        return self.linking | self.clausal | self.subjects | self.prepositions

    @cached_property
    def small(self) -> frozenset[str]:
        """Words that are no name, though the first of a sentence has a capital."""
        return self.openings | self.articles | self.determiners | self.auxiliaries | self.degrees


ENGLISH = Lexicon(
    articles=_words("a an the"),
    determiners=_words(
        "my your his her its our their whose this that these those no every each any some all both either neither"
        " another such what which several many few thy thine"
    ),
    prepositions=_words(
        "about above across after against along among around as at before behind below beneath beside besides between"
        " beyond by despite during except for from in inside into like near of on onto outside over past per since than"
        " through throughout till to toward towards under underneath until unto upon via with within without"
    ),
    loose=_words("of"),
    linking=_words("and or but nor yet so plus"),
    clausal=_words(
        "because although though while whereas unless until if when whenever where wherever who whom whose which that"
        " how why whether since as after before than once lest"
    ),
    subjects=_words("i you he she it we they there thou"),
    objects=_words("it them me him us myself yourself himself herself itself ourselves themselves"),
    auxiliaries=_words(
        "am is are was were be been being have has had having do does did will would shall should can could may might"
        " must ought cannot let"
    ),
    degrees=_words(
        "very so too more most less least quite rather really just only even almost not never how as pretty"
    ),
    particles=_words("up out off down away back over in on around"),
    name_parts=_words("van von de la der den del di da du"),
    abbreviated=_words("mr. mrs. ms. dr. prof. st. vs. e.g. i.e. no. nr. sr. jr. capt. gen. sgt. rev. hon. approx."),
    adjectives=_words(
        "new old good bad best worst better worse big small large great little long short high low next last first"
        " second third same other own young whole early late right left white black red blue green few more most"
        " only real hard easy full free open strong common certain main wrong sure clear recent human entire modern"
        " poor rich dark warm cold hot nice fine former simple single double huge tiny strange quick slow quiet loud"
    ),
    adjective_ends=("ed", "ous", "ful", "al", "ive", "ic", "less", "able", "ible", "ish", "ary", "est"),
    pairs=frozenset(
        {
            ("out", "of"),
            ("because", "of"),
            ("instead", "of"),
            ("kind", "of"),
            ("sort", "of"),
            ("lot", "of"),
            ("lots", "of"),
            ("going", "to"),
            ("want", "to"),
            ("wants", "to"),
            ("wanted", "to"),
            ("used", "to"),
            ("need", "to"),
            ("such", "as"),
            ("well", "as"),
            ("more", "than"),
            ("less", "than"),
            ("rather", "than"),
            ("so", "that"),
            ("even", "if"),
            ("even", "though"),
            ("each", "other"),
            ("one", "another"),
        }
    ),
)

DUTCH = Lexicon(
    articles=_words("de het een 't 'n 's"),
    determiners=_words(
        "mijn m'n jouw je uw zijn z'n haar d'r ons onze jullie hun deze dit die dat geen elk elke ieder iedere welk"
        " welke sommige alle beide enkele wat zo'n zulke verschillende"
    ),
    prepositions=_words(
        "aan achter als behalve beneden bij binnen boven buiten door gedurende in langs met na naar naast namens om"
        " onder ondanks op over per rond rondom sinds te ten ter tegen tegenover tijdens tot tussen uit van vanaf"
        " vanuit vanwege via volgens voor voorbij wegens zonder"
    ),
    loose=_words("van"),
    linking=_words("en of maar want dus noch"),
    clausal=_words(
        "omdat doordat zodat hoewel terwijl tenzij indien als toen wanneer waar waarin waarmee waarvan waarop waardoor"
        " waarbij waarover wie die dat wat hoe waarom zodra totdat voordat nadat zolang sinds mits opdat alsof dan"
    ),
    subjects=_words("ik jij je u hij zij ze het we wij jullie men er 't 'k ie"),
    objects=_words("hem me mij hen zich elkaar mezelf jezelf zichzelf onszelf"),
    auxiliaries=_words(
        "ben bent is zijn was waren wees geweest heb hebt heeft hebben had hadden word wordt worden werd werden zal"
        " zult zullen zou zouden kan kun kunt kunnen kon konden mag mogen mocht mochten moet moeten moest moesten wil"
        " wilt willen wilde wilden wou laat laten liet lieten ga gaat gaan ging gingen hoef hoeft hoeven durf durft"
        " durven blijf blijft blijven bleef bleven"
    ),
    degrees=_words(
        "zeer heel erg te meer meest minder minst vrij nogal echt zo net alleen zelfs bijna niet nooit hoe best ook al"
        " even nog"
    ),
    particles=_words("op af uit aan in mee toe terug weg door om over na voor langs bij binnen"),
    name_parts=_words("van de der den ten ter het von"),
    abbreviated=_words(
        "dhr. mevr. mw. dr. drs. prof. mr. ir. ing. bijv. bv. o.a. d.w.z. nl. m.a.w. i.v.m. t.a.v. ca. nr. st. jl."
    ),
    adjectives=_words(
        "nieuw oud goed slecht groot klein lang kort hoog laag ander eigen open half heel zwaar mooi rood wit zwart"
        " leuk moeilijk makkelijk belangrijk bijzonder gewoon raar jong echt duur warm koud vrij houten gouden"
    ),
    adjective_ends=("e",),
    verb_last=True,
    pairs=frozenset(
        {
            ("te", "veel"),
            ("veel", "te"),
            ("zo", "veel"),
            ("er", "is"),
            ("er", "was"),
            ("er", "zijn"),
            ("er", "waren"),
            ("net", "als"),
            ("meer", "dan"),
            ("minder", "dan"),
            ("anders", "dan"),
            ("ook", "al"),
            ("in", "plaats"),
            ("een", "beetje"),
            ("een", "paar"),
            ("met", "elkaar"),
        }
    ),
)

NO_WORDS = Lexicon()
LEXICONS = {"en": ENGLISH, "nl": DUTCH}
