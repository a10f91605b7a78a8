"""Filler sentences by topic: the chronicle's weather, work and gossip, which state no facts.

A template is text with alternatives in brackets, `[a|b|c]`; `{person}` and `{place}` are filled from
the document's cast. No template uses the verbs of a relation in world.py.
"""

from __future__ import annotations

import random
import re

TOPICS: dict[str, tuple[str, ...]] = {
    "weather": (
        "[Fog|Rain|Mist|Sleet|A grey cloud] [came in|rolled in|drifted in|crept up] from the [sea|north|marsh|hills], and the [gulls|bells|children|old ropes] [fell silent|went quiet|were still for an hour].",
        "The wind turned to the [north|south|east|west] before [breakfast|supper|the tide turned|the bells rang].",
        "[In the morning|By evening|After a while|Toward night] the sky was [clear|pale|heavy|low and dark|bright as glass].",
        "A [cold|warm|thin|steady|sudden] rain [fell on|ran down|drummed on|washed] the [roofs|steps|quay|empty street].",
        "There was [ice|frost|snow|hail|water] on the [steps|roofs|windows|harbour wall], and people walked [slowly|with care|close to the walls].",
        "Nobody could remember such a [mild|wild|dry|wet|long] [spring|summer|autumn|winter].",
        "The sun came out [at last|for a moment|between two clouds], and the [water|wet stone|whole town] [shone|steamed|looked new].",
    ),
    "harbour": (
        "The [men|women|crews|children] on the quay [sorted the catch|mended nets|coiled the lines|counted crates] and [sang|talked|said little|laughed at the gulls].",
        "[Two|Three|Four|Several] boats [waited|rocked|lay|creaked] at the [long|old|stone|wooden] pier [until the tide turned|through the night|all morning].",
        "The tide was [high|low|late|slow], and the boats [sat in the mud|pulled at their lines|rose against the wall].",
        "A [stranger|young man|sailor's wife|boy] [asked about|looked for|waited for] a boat that [never came|had sunk long ago|nobody knew].",
        "The harbour master [closed his book|shook his head|wrote it all down|rang the bell twice] and [went home|said nothing|sent for his supper].",
        "Someone had [tied|left|painted|lost] a [small|broken|new|red] boat under the [bridge|wall|crane|old pier].",
        "{person} [stood|sat|waited] on the quay and [watched the water|counted the masts|thought of home].",
    ),
    "market": (
        "On market day the [square|street|whole town] was [full|loud|bright] with [carts|voices|baskets|strangers].",
        "The [stalls|carts|tables] stood in [two rows|a ring|the shade], and the [best|worst|cheapest] things were [gone|sold] before noon bells.",
        "An old woman [sold|weighed|gave away] [eggs|flowers|thread|buttons by the dozen] and [told stories|argued with everyone|kept her own counsel].",
        "[Prices went up|Prices came down|Money was short|Trade was good] that week, and [nobody|everybody|only the bank] [complained|was glad|spoke of it].",
        "{person} [bought nothing|spent too much|argued about a coin|came home late] and was [happy|sorry|tired] for it.",
        "A man from {place} [shouted|played a tune|told the news] beside the [well|pump|stone cross].",
        "The [children|dogs|sparrows] [ran|slept|fought] under the tables.",
    ),
    "street": (
        "In the narrow street a [door|window|shutter] [opened|closed|banged], and [someone|a child|a voice] [called out|laughed|asked the time].",
        "{person} [walked|hurried|wandered] [down to the water|up the hill|past the pump|home by the long road] [without a word|in the rain|with empty hands|in good spirits].",
        "The [lamps|fires|windows] were lit [early|late|one by one], and the [street|square|hill] [smoked|glowed|grew quiet].",
        "People [spoke of|forgot|remembered] the [old fire|great storm|lost ship|hard winter] as if it [had been|were] [yesterday|a dream|a joke].",
        "A [cart|carriage|wagon] from {place} [broke a wheel|stopped|turned over] at the [corner|bridge|gate], and [everyone came to look|nobody was hurt|the horse went on alone].",
        "The steps were [worn|steep|wet|swept], as they [always were|had been for years].",
        "{person} [met|passed|greeted] {person} at the [corner|bridge|pump|gate], and they [talked about the weather|nodded|did not speak].",
    ),
    "church": (
        "The bells rang [once|twice|for an hour|all afternoon], and [nobody knew why|the town stood still|people came to their doors].",
        "A [wedding|funeral|feast|meeting] [filled|emptied|woke] the [town|valley|hill] [that week|on Sunday|before the frost].",
        "The choir [sang|practised|was late], and [one voice|a child|{person}] was [heard above the rest|a little out of tune|missed].",
        "There were [few|many|white|fresh] flowers on the [stones|graves|steps], and the grass was [long|cut|wet].",
        "The new roof [leaked|held|was not paid for], as [everyone|the whole parish] had [feared|hoped|said].",
        "A [long|short|kind|dull] sermon was [given|read], and [half the town|{person}] [slept|listened|walked out].",
    ),
    "sea": (
        "Far out, a [light|sail|whale|line of foam] [showed|moved|rose] and was [gone|lost|seen no more].",
        "The sea was [calm|rough|flat|dark|green and slow], and the [horizon|far shore|island] [looked near|could not be seen|seemed to float].",
        "[Gulls|Terns|Seabirds|Cormorants] [circled|cried|dived] over the [rocks|nets|wake], [hungry|white|loud] and [quick|patient|many].",
        "A wave [broke over|ran along|shook] the [wall|rocks|lighthouse steps], and [spray|weed|sand] [flew|lay] everywhere.",
        "They said that the [deep|bay|reef|channel] [was changing|had a voice|took one boat a year], and [perhaps it did|nobody laughed].",
        "The nets came up [empty|heavy|torn|full of weed], and the men [swore|smiled|threw them again].",
        "It is [a day|two days|half a night] from here to {place} with a [fair|light|steady] wind.",
    ),
    "home": (
        "In the kitchen the [fire|pot|kettle lid|old dog] [hummed|smoked|muttered|sighed], and the [windows|walls|plates] [were wet|shook|shone].",
        "{person} [wrote a letter|read aloud|sewed|slept badly] [by the fire|until late|in the small room|for the third night].",
        "The [children|twins|guests|cousins] [were sent to bed|played on the stairs|would not sleep|told riddles].",
        "There was [little|plenty|enough] to eat, and [nobody|everyone] [asked for more|was content|helped with the dishes].",
        "A letter came from {place}, [short|late|badly spelled|full of news], and it was [read twice|burned|put away].",
        "The roof [needed|wanted] mending, and the [gate|fence|chimney] [was no better|had fallen|leaned in the wind].",
        "Somebody [knocked|sang|whistled] [outside|in the yard|on the stairs], and then [all was quiet|the wind took the sound away].",
    ),
    "gossip": (
        "[It was whispered|People said|The women at the pump agreed] that {person} would [marry|leave|come into money|sail again] [soon|in the spring|before long].",
        "{person} [would not say a word|smiled|grew angry|changed the subject] when [asked|the talk turned to {place}|the news came].",
        "Some [believed it|laughed|shook their heads], and some [did not|wrote it down|told it again with changes].",
        "The news from {place} was [good|bad|old|hard to believe], and it [went round|was forgotten] by evening.",
        "{person} and {person} [were not on speaking terms|danced together|shared a bench|quarrelled over a fence] that [year|month|summer].",
        "Nobody [knew|asked|cared|would say] where {person} had been [all winter|that night|since the fair].",
        "A [rumour|story|song] about {person} [came up the coast|was told at the pump|made people laugh].",
    ),
    "land": (
        "The fields above the town were [brown|green|bare|white with frost], and the [hedges|lanes|ditches] were [full of birds|deep in mud|quiet].",
        "On the road to {place} the [trees|stones|mile posts] [leaned|stood|were counted] [like old men|one by one|in the mist].",
        "The harvest was [late|early|poor|the best in years], and [every hand|the whole valley|even {person}] [was needed|helped|rested after].",
        "A [path|stream|wall] runs from the hill to the [shore|bridge|marsh], and [nobody built it|it is older than the town|children follow it].",
        "[Bees|Larks|Crows|Swallows] were in the [orchard|hedge|long grass] [from first light|all day|as if it were June].",
        "The marsh [froze|flooded|dried out], and [strange lights|old boots|lost things] were [seen|found] there.",
    ),
    "past": (
        "[Long ago|In the old days|Before the wall was built|A hundred years ago] the town was [smaller|richer|only a row of huts|feared along the coast].",
        "The chronicle [says little|is silent|tells more than it should|has a torn page] about [those years|that winter|the first families].",
        "[Old people|The oldest books|Some letters] [speak of|mention|remember] a [bridge|king|flood|great fish] that [no one has seen|came and went|gave the town its name].",
        "The [first|second|third|last] page was [blotted|missing|written by another hand|hard to read].",
        "What was [lost|burned|sold|hidden] then has [never been found|come back slowly|been forgotten].",
        "So the [years|seasons|tides] went by, and the town [grew|slept|waited|changed little].",
    ),
}


Template = tuple[str | tuple[str, ...], ...]


def parse_template(text: str) -> Template:
    """ "a [b|c] d" → ("a ", ("b", "c"), " d")."""
    parts = re.split(r"\[([^\]]*)\]", text)
    return tuple(tuple(part.split("|")) if index % 2 else part for index, part in enumerate(parts))


PARSED: dict[str, tuple[Template, ...]] = {
    topic: tuple(parse_template(text) for text in texts) for topic, texts in TOPICS.items()
}


TOPIC_NAMES: tuple[str, ...] = tuple(TOPICS)


def expand(template: Template, rng: random.Random) -> str:
    """Choose one alternative of every group."""
    return "".join(part if isinstance(part, str) else part[int(rng.random() * len(part))] for part in template)
