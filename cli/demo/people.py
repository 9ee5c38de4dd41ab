"""Who lives in the demo world, and where they go."""

from __future__ import annotations

from dataclasses import dataclass

DEMO_PASSWORD = "silver-and-salt"  # noqa: S105 - printed on purpose: the demo world's people all have it


@dataclass(frozen=True)
class Person:
    """An account to be."""

    username: str
    name: str
    bio: str


@dataclass(frozen=True)
class Place:
    """Somewhere on the map; degrees north and east."""

    name: str
    latitude: float
    longitude: float


PEOPLE: tuple[Person, ...] = tuple(
    Person(*row)
    for row in (
        ("ana.souza", "Ana Souza", "Light chaser. Lisbon, mostly on foot."),
        ("ben.okafor", "Ben Okafor", "Street photographs after rain."),
        ("chloe.martin", "Chloé Martin", "Flowers, slowly. Botanist by day."),
        ("daiki_mori", "Daiki Mori", "35 mm and long walks. 東京"),
        ("elif.kaya", "Elif Kaya", "Coffee first, then the ferry."),
        ("farid.n", "Farid Nazari", "Mountains are calling and I keep picking up."),
        ("greta.lind", "Greta Lind", "North of 60°. Snow, pines, silence."),
        ("hassan.amrani", "Hassan Amrani", "Born near the dunes, never left them really."),
        ("ines.roca", "Inés Roca", "Sea person. Free diver. Sunburnt."),
        ("jonas.weber", "Jonas Weber", "Night trains and city lights."),
        ("kavya.rao", "Kavya Rao", "Portraits of people I like."),
        ("liam.byrne", "Liam Byrne", "Weather enthusiast out of necessity."),
        ("mei.chen", "Mei Chen", "Tea, fog, forests. 她在山里"),
        ("noah.adler", "Noah Adler", "Counting stars since 1994."),
        ("olga.petrova", "Olga Petrova", "Architect. I photograph corners."),
        ("pablo.ruiz", "Pablo Ruiz", "Surf at six, bakery at eight."),
        ("quinn.harper", "Quinn Harper", "they/them. Trails, tents, terrible puns."),
        ("rosa.bianchi", "Rosa Bianchi", "My grandmother's kitchen, one plate at a time."),
        ("samir.haddad", "Samir Haddad", "Sunsets are not a cliché if you stay for all of it."),
        ("tove.nilsen", "Tove Nilsen", "Fjord swimmer. Yes, in January too."),
        ("uma.fernando", "Uma Fernando", "Rain is good light."),
        ("viktor.hale", "Viktor Hale", "Astrophotography from a very cold roof."),
        ("wanjiru.k", "Wanjiru Kamau", "Highlands, runners, early mornings."),
        ("ximena.luna", "Ximena Luna", "Colour hunter. Oaxaca and elsewhere."),
        ("yusuf.demir", "Yusuf Demir", "I carry too many lenses."),
        ("zoe.papas", "Zoe Papas", "Islands. Ferries. Cats of islands."),
        ("arjun.mehta", "Arjun Mehta", "Weekend hiker, weekday spreadsheets."),
        ("bianca.costa", "Bianca Costa", "Latte art: 3/10 and improving."),
        ("caleb.stone", "Caleb Stone", "Desert roads and old radios."),
        ("dina.levi", "Dina Levi", "Garden notes from a very small balcony."),
    )
)

PLACES: dict[str, tuple[Place, ...]] = {
    "mountains": (Place("Dolomites, Italy", 46.41, 11.84), Place("Torres del Paine, Chile", -50.94, -73.41)),
    "sunset": (Place("Cabo da Roca, Portugal", 38.78, -9.50), Place("Santorini, Greece", 36.46, 25.37)),
    "city": (
        Place("Hong Kong, Victoria Harbour", 22.29, 114.17),
        Place("New York, Brooklyn Bridge Park", 40.70, -73.99),
        Place("Singapore, Marina Bay", 1.28, 103.86),
    ),
    "forest": (Place("Black Forest, Germany", 48.27, 8.19), Place("Yakushima, Japan", 30.34, 130.51)),
    "beach": (Place("Tulum, Mexico", 20.21, -87.43), Place("Mirissa, Sri Lanka", 5.95, 80.46)),
    "stars": (Place("Atacama Desert, Chile", -23.86, -69.14), Place("Aoraki Mackenzie, New Zealand", -43.73, 170.10)),
    "flower": (Place("Kew Gardens, London", 51.48, -0.30), Place("Keukenhof, Netherlands", 52.27, 4.55)),
    "coffee": (
        Place("Karaköy, Istanbul", 41.02, 28.98),
        Place("Fitzroy, Melbourne", -37.80, 144.98),
        Place("Trastevere, Rome", 41.89, 12.47),
    ),
    "portrait": (
        Place("Griffith Observatory, Los Angeles", 34.12, -118.30),
        Place("Sea Point, Cape Town", -33.91, 18.39),
    ),
    "street": (Place("Alfama, Lisbon", 38.71, -9.13), Place("Gion, Kyoto", 35.00, 135.78)),
    "snow": (Place("Lapland, Finland", 67.92, 26.50), Place("Banff, Canada", 51.18, -115.57)),
    "desert": (Place("Merzouga, Morocco", 31.10, -4.01), Place("Wadi Rum, Jordan", 29.58, 35.42)),
}
