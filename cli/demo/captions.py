"""What people write under the demo world's pictures, and under each other's."""

from __future__ import annotations

from random import Random

from cli.demo.people import PLACES, Place

HASHTAGS: dict[str, tuple[str, ...]] = {
    "mountains": ("mountains", "hiking", "alps", "layers", "getoutside"),
    "sunset": ("sunset", "goldenhour", "sea", "horizon", "sailing"),
    "city": ("citylights", "night", "skyline", "bokeh", "urban"),
    "forest": ("forest", "fog", "trees", "morninglight", "moody"),
    "beach": ("beach", "summer", "ocean", "palmtree", "saltlife"),
    "stars": ("astrophotography", "milkyway", "nightsky", "camping", "stars"),
    "flower": ("flowers", "macro", "garden", "bloom", "spring"),
    "coffee": ("coffee", "latteart", "breakfast", "slowmorning", "cafe"),
    "portrait": ("portrait", "silhouette", "goldenhour", "friends", "backlight"),
    "street": ("street", "rain", "streetphotography", "bluehour", "reflections"),
    "snow": ("snow", "winter", "pines", "cold", "quiet"),
    "desert": ("desert", "dunes", "sand", "heat", "roadtrip"),
}

SENTENCES: dict[str, tuple[str, ...]] = {
    "mountains": (
        "Six layers and I stopped counting.",
        "Up at four for this. Would do it again, not tomorrow though.",
        "The valley was still asleep under the fog.",
        "Somewhere behind the third ridge is our hut.",
    ),
    "sunset": (
        "Stayed until the last boat was in.",
        "No filter, just patience.",
        "The sea kept the light a little longer than the sky did.",
        "Everybody on the pier went quiet at the same time.",
    ),
    "city": (
        "This city never looks the same twice.",
        "Missed the last ferry, found this instead.",
        "A thousand windows and somebody awake behind each.",
        "Out of focus on purpose.",
    ),
    "forest": (
        "Ten minutes after the rain stopped.",
        "You can hear the fog drip from the branches.",
        "Got lost for an hour. Best hour of the week.",
        "The light came in at an angle and stayed.",
    ),
    "beach": (
        "Office for today.",
        "Sand in everything, no regrets.",
        "Water at 27 degrees and nobody else here.",
        "One more swim, I said. That was three swims ago.",
    ),
    "stars": (
        "Twenty seconds of holding my breath.",
        "The tent is ours. The galaxy is everybody's.",
        "Minus eight, and worth every finger.",
        "First time I have seen it with my own eyes.",
    ),
    "flower": (
        "Opened this morning.",
        "Held my breath until the wind did too.",
        "From the balcony, two square metres of pride.",
        "Look at the middle. Just look at it.",
    ),
    "coffee": (
        "Second one. Maybe third.",
        "Finally a heart that does not look like an onion.",
        "Reading day.",
        "Whoever baked these: thank you.",
    ),
    "portrait": (
        "Waiting for the sun to move two fingers to the left.",
        "She said don't take a picture. Then she said, show me.",
        "Old friends, same hill.",
        "Facing the day.",
    ),
    "street": (
        "Umbrella weather has the best reflections.",
        "The walk home, the long way.",
        "Lamps on at a quarter to six.",
        "Waited for somebody to walk into the light.",
    ),
    "snow": (
        "So quiet you can hear it land.",
        "First tracks.",
        "The pines wear it better than I do.",
        "Three pairs of gloves and still.",
    ),
    "desert": (
        "Walked up, ran down.",
        "The wind redraws this every night.",
        "Somewhere out there is the car.",
        "All the shades of one colour.",
    ),
}

COMMENTS: tuple[str, ...] = (
    "Wow.",
    "The light in this one!",
    "I can almost smell it.",
    "Adding this to my list.",
    "Where is that exactly?",
    "This made my morning ☕",
    "How long did you wait for that?",
    "😍😍",
    "Take me with you next time.",
    "Which lens?",
    "Print this. Big.",
    "I was there last year, it rained all week 😅",
    "Your best one so far.",
    "The colours are unreal.",
    "Can I use this as my wallpaper?",
    "Qué maravilla",
    "きれい！",
    "Magnifique ✨",
    "Saved.",
    "That foreground though.",
)


def caption(random: Random, kind: str) -> str:
    """A sentence and one to three hashtags that suit a kind of picture (see pictures.KINDS)."""
    tags = random.sample(HASHTAGS[kind], random.randint(1, 3))
    return " ".join([random.choice(SENTENCES[kind]), *(f"#{tag}" for tag in tags)])


def place(random: Random, kind: str) -> Place:
    """Somewhere such a picture could have been taken."""
    return random.choice(PLACES[kind])


def comment(random: Random) -> str:
    """What somebody writes under a picture."""
    return random.choice(COMMENTS)
