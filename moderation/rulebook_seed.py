"""The first rulebook: rules and categories of a new installation, in English and Dutch. Staff change them later."""

from __future__ import annotations

from dataclasses import dataclass

Wording = dict[str, dict[str, str]]


@dataclass(frozen=True)
class CategorySeed:
    """A category of reports: its way (`Category.Route`), severity from 1 to 4, the rule it most often breaks."""

    key: str
    severity: int
    english: str
    dutch: str
    rule: str | None
    route: str = "ordinary"

    @property
    def wording(self) -> Wording:
        return {"en": {"title": self.english}, "nl": {"title": self.dutch}}


def _rule(title: str, text: str, titel: str, tekst: str) -> Wording:
    return {"en": {"title": title, "text": text}, "nl": {"title": titel, "text": tekst}}


RULES: dict[str, Wording] = {
    "protect-children": _rule(
        "Children are safe",
        "No sexual or violent content about children, no approach to them, and no call to harm them.",
        "Kinderen zijn veilig",
        "Geen seksuele of gewelddadige inhoud over kinderen, geen toenadering tot hen en geen oproep om hen kwaad te "
        "doen.",
    ),
    "no-violence": _rule(
        "No threats and no violence",
        "Do not threaten anybody, do not call for violence, and do not celebrate it.",
        "Geen bedreiging en geen geweld",
        "Bedreig niemand, roep niet op tot geweld en verheerlijk het niet.",
    ),
    "no-hate": _rule(
        "No hate",
        "Do not degrade people or call for harm to them because of origin, skin colour, religion, gender, sexual "
        "orientation, disability or age.",
        "Geen haat",
        "Verneder mensen niet en roep niet op hen kwaad te doen vanwege afkomst, huidskleur, geloof, geslacht, "
        "seksuele gerichtheid, beperking of leeftijd.",
    ),
    "no-harassment": _rule(
        "No harassment",
        "Do not insult, shame or follow people around, and do not publish what is private to them.",
        "Geen pesterijen",
        "Beledig, beschaam of achtervolg niemand, en maak niets openbaar wat van een ander privé is.",
    ),
    "no-fraud": _rule(
        "No spam and no fraud",
        "Do not deceive people for money or attention, do not pretend to be somebody else, and do not flood rooms.",
        "Geen spam en geen oplichting",
        "Misleid mensen niet voor geld of aandacht, doe je niet voor als een ander en overspoel kamers niet.",
    ),
    "old-enough": _rule(
        "Old enough",
        "Everybody here has the minimum age of this site.",
        "Oud genoeg",
        "Iedereen hier heeft de minimumleeftijd van deze site.",
    ),
    "fair-reports": _rule(
        "Report in good faith",
        "Do not use reports against people who did nothing wrong.",
        "Meld te goeder trouw",
        "Gebruik meldingen niet tegen mensen die niets verkeerds deden.",
    ),
}

CATEGORIES: tuple[CategorySeed, ...] = (
    CategorySeed(
        "child_safety",
        4,
        "A child is abused or in danger",
        "Een kind wordt misbruikt of is in gevaar",
        "protect-children",
        "child_safety",
    ),
    CategorySeed(
        "life_in_danger",
        4,
        "Somebody’s life is in danger",
        "Iemands leven is in gevaar",
        "no-violence",
        "life_in_danger",
    ),
    CategorySeed("violence", 3, "Threats or violence", "Bedreiging of geweld", "no-violence"),
    CategorySeed("hate", 3, "Hate against a group of people", "Haat tegen een groep mensen", "no-hate"),
    CategorySeed("harassment", 2, "Harassment or bullying", "Intimidatie of pesten", "no-harassment"),
    CategorySeed("under_age", 2, "Somebody here is too young", "Iemand hier is te jong", "old-enough", "under_age"),
    CategorySeed("spam_or_fraud", 1, "Spam or fraud", "Spam of oplichting", "no-fraud"),
    CategorySeed("other", 1, "Something else", "Iets anders", None, "other"),
)
