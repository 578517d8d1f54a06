"""The companies of the demo and their people."""

from collections.abc import Mapping, Sequence

from accounts.models import Account, Membership, User

MICK, FRONT_STREET, BAYSIDE, SOUTHPAW = "PA-063-101", "VA-044-420", "VA-571-206", "PA-318-774"
COMPANIES = (
    (MICK, "Mighty Mick's LLC", Account.Side.DISTRIBUTOR),
    (FRONT_STREET, "Front Street Inc", Account.Side.VENDOR),
    # A further partner of each, so that each of the two has records that the other does not see.
    (BAYSIDE, "Bayside Cloud", Account.Side.VENDOR),
    (SOUTHPAW, "Southpaw Distribution", Account.Side.DISTRIBUTOR),
)
ADMINISTRATOR, MEMBER = Membership.Role.ADMINISTRATOR, Membership.Role.MEMBER
PEOPLE = (
    ("UR-101-000-001", "michael@mightymicks.example", "Michael Goldmill", {MICK: ADMINISTRATOR}),
    ("UR-101-000-002", "adrian@mightymicks.example", "Adrian Pennino", {MICK: MEMBER}),
    (
        "UR-420-000-001",
        "robert@frontstreet.example",
        "Robert Balboa",
        {FRONT_STREET: ADMINISTRATOR},
    ),
    ("UR-420-000-002", "paulie@frontstreet.example", "Paulie Pennino", {FRONT_STREET: MEMBER}),
    (
        "UR-500-000-001",
        "tony@gazzo.example",
        "Tony Gazzo",
        {MICK: ADMINISTRATOR, FRONT_STREET: ADMINISTRATOR},
    ),
    ("UR-571-000-001", "mary@bayside.example", "Mary Creed", {BAYSIDE: ADMINISTRATOR}),
    ("UR-318-000-001", "duke@southpaw.example", "Duke Evers", {SOUTHPAW: ADMINISTRATOR}),
)
PORTAL_ADMINISTRATOR = ("UR-900-000-001", "admin@portal.example", "Portal Administrator")

# Pairs of companies that trade with each other: each of the two main companies has two partners.
PAIRS = ((MICK, FRONT_STREET), (MICK, BAYSIDE), (SOUTHPAW, FRONT_STREET))
# The people who act for each company, by account id.
People = Mapping[str, Sequence[User]]
Pair = tuple[str, str]
