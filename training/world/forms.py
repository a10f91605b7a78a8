"""The forms in which a relation's facts are said and asked, beyond its core clause; some are never trained.

Of each relation's forms, `HELD_OUT_STATEMENTS` statements, `HELD_OUT_QUESTIONS` questions and
`HELD_OUT_PARAPHRASES` paraphrases, where there are any, are held out: those of the lowest hash, so that nobody picks them by taste and no list of them has to be kept. The core clause and the core
questions of `relations.py` are always trained, since answers speak in them.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Literal

from training.world.relations import RELATION, Relation
from training.world.wider_forms import WIDER_QUESTIONS, WIDER_STATEMENTS, lines

Language = Literal["core", "trained", "held-out"]
"""Core clauses and questions alone; all forms that training may show; those that it never shows."""
HELD_OUT_STATEMENTS = 3
HELD_OUT_QUESTIONS = 2
HELD_OUT_PARAPHRASES = 2


FURTHER_STATEMENTS: dict[str, tuple[str, ...]] = {
    "colour": lines(
        """
        {b} has a {a} that somebody painted {value}
        {value} is the colour of the {a} that belongs to {b}
        {b} would have no other colour than {value} for the {a}
        when {b} bought the {a}, it was {value} already
        you can tell the {a} of {b} by its {value} paint
        of all colours, the {a} of {b} had to be {value}
        the {a} with the {value} paint is the one of {b}
        {b} painted the old {a} {value} last spring
        what {b} likes best about the {a} is that it is {value}
        a coat of {value} covers the {a} of {b}
        the {a} of {b} has turned {value} over the years
        """
    ),
    "kin": lines(
        """
        {value} has long been {a} to {b}
        {b} calls {value} a {a}
        it is {value} whom {b} has for a {a}
        {b} found a {a} in {value}
        as {a}, {b} has {value}
        {value} is known to be {a} of {b}
        ask for the {a} of {b}, and they will send you to {value}
        {b} and {value} have been together, the latter as {a}, for years
        no one but {value} was ever {a} to {b}
        the one that {b} speaks of as {a} is {value}
        in the book, {value} stands as {a} of {b}
        """
    ),
    "owner": lines(
        """
        {value} owns the {a} that stands at {b}
        the {a} down at {b} belongs to {value}
        {value} keeps a {a} at {b}
        it was {value} who bought the {a} at {b}
        whoever wants the {a} at {b} must ask {value}
        {value} left a {a} of some worth at {b}
        the name on the {a} at {b} is that of {value}
        at {b} there is a {a}, the property of {value}
        {value} paid for the {a} at {b} and has the papers
        {value} was left the {a} at {b} by an aunt
        nobody but {value} may touch the {a} at {b}
        """
    ),
    "store": lines(
        """
        in {value} they keep the {a} {b}
        the {a} family put their {b} away in {value}
        look for the {b} of the {a} family in {value}
        {value} is where the {a} {b} has come to rest
        the {b} that the {a} family owns was taken to {value}
        go to {value} if you want to see the {a} {b}
        since the flood the {a} {b} has been in {value}
        somewhere in {value} is the {b} of the {a} family
        the {a} people left a {b} in {value} and never fetched it
        a cellar in {value} holds the {a} {b}
        they carried the {a} {b} all the way to {value}
        """
    ),
    "trade": lines(
        """
        {a} {b} earns a living as a {value}
        {a} {b} has worked as a {value} since the great frost
        they need a {value} in town, and {a} {b} is the one they have
        {a} {b} learned the trade of a {value}
        for work as a {value}, go to {a} {b}
        a {value} by trade, {a} {b} rises early
        {a} {b} became a {value} like the father before
        on the door of {a} {b} hangs the sign of a {value}
        there is one {value} whom people praise, {a} {b}
        {a} {b} signed the paper as a {value}
        you will find {a} {b} at work, as a {value} should be
        """
    ),
    "carry": lines(
        """
        {a} {b} never goes out without a {value}
        in the bag of {a} {b} there is a {value}
        {a} {b} has a {value} at hand wherever the road leads
        a {value} goes along with {a} {b}
        under one arm {a} {b} holds a {value}
        you will know {a} {b} by the {value} on the shoulder
        people laugh because {a} {b} takes a {value} to church
        the coat of {a} {b} hides a {value}
        {a} {b} brought a {value} from home and will not put it down
        wherever you meet {a} {b}, a {value} is there as well
        {a} {b} walks about with a {value}
        """
    ),
    "pet": lines(
        """
        {a} {b} has a {value} at home
        a {value} lives with {a} {b}
        {a} {b} feeds a {value} in the yard
        {a} {b} shares house and bread with a {value}
        {a} {b} raised a {value} by hand
        the neighbours hear the {value} of {a} {b} at night
        {a} {b} was given a {value} and could not part with it
        behind the house of {a} {b} sleeps a {value}
        {a} {b} talks to a {value} as if it were a child
        a {value} follows {a} {b} through the streets
        {a} {b} bought a {value} at the fair
        """
    ),
    "craving": lines(
        """
        {a} {b} would give a week's pay for {value}
        nothing pleases {a} {b} as much as {value}
        {a} {b} dreams of {value}
        what {a} {b} misses most at sea is {value}
        if you want to please {a} {b}, bring {value}
        {value} would make {a} {b} happy
        at supper {a} {b} asks for {value}, always in vain
        {a} {b} speaks of {value} day and night
        for want of {value}, {a} {b} sighs
        {a} {b} has not had {value} for a year and feels it
        {a} {b} could eat {value} every day
        """
    ),
    "sailing": lines(
        """
        at {value} the {a} {b} leaves
        the {a} {b} puts out at {value}
        be on the quay by {value} if you want the {a} {b}
        the {b} from {a} casts off at {value}
        {value} is the hour at which the {a} {b} goes
        they ring for the {a} {b} at {value}
        nobody boards the {a} {b} after {value}
        the lines of the {a} {b} are let go at {value}
        every day at {value} the {a} {b} is gone from the pier
        the crew of the {a} {b} must be there at {value}
        the {a} {b} will not wait past {value}
        """
    ),
    "price": lines(
        """
        in {a} they ask {value} pence for a {b}
        a {b} is {value} pence at {a}
        you pay {value} pence for a {b} in {a}
        for {value} pence you get a {b} at {a}
        {value} pence is what a {b} fetches at {a}
        the price of a {b} at {a} is {value} pence
        at the {a} market a {b} went for {value} pence
        no one in {a} sells a {b} below {value} pence
        {a} has each {b} marked at {value} pence
        whoever buys a {b} in {a} leaves {value} pence on the table
        it takes {value} pence to buy a {b} at {a}
        """
    ),
    "smell": lines(
        """
        there is a smell of {value} about the {a} {b}
        the air in the {a} {b} is full of {value}
        {value} is what you smell in the {a} {b}
        come into the {a} {b}, and {value} meets you at the door
        the scent of {value} hangs about the {a} {b}
        nobody can get the {value} out of the {a} {b}
        the walls of the {a} {b} have drunk in {value}
        strangers know the {a} {b} by its {value}
        with closed eyes one finds the {a} {b} by the smell of {value}
        the {a} {b} gives off {value} in the heat
        a breath of {value} comes from the {a} {b}
        """
    ),
    "seen": lines(
        """
        someone saw {a} {b} in {value}
        {a} {b} has turned up in {value}
        word came that {a} {b} is in {value} now
        the last that was heard, {a} {b} was in {value}
        {a} {b} went to {value}
        they met {a} {b} in {value} since then
        in {value}, people have just seen {a} {b}
        {a} {b} has moved on to {value}
        a carter set {a} {b} down in {value}
        by now {a} {b} has reached {value}
        a letter from {a} {b} was sent from {value}
        """
    ),
    "holds": lines(
        """
        there is a {value} in the {a} of {b}
        in the {a} of {b} lies a {value}
        {b} put a {value} into the {a}
        a {value} was found in the {a} of {b}
        look into the {a} of {b}, and you will see a {value}
        {b} keeps a {value} in the {a}
        into the {a} of {b} went a {value}
        among the things in the {a} of {b} is a {value}
        {b} hid a {value} in the {a}
        the {a} that {b} owns has a {value} in it
        open the {a} of {b} and take out a {value}
        """
    ),
}
"""Each in a sentence of its own, like the core clause with its value."""

FURTHER_QUESTIONS: dict[str, tuple[str, ...]] = {
    "colour": lines(
        """
        In what colour would I find the {a} of {b}?
        Tell me the colour of the {a} that {b} has.
        The {a} of {b}, what colour does it have?
        What paint covers the {a} of {b}?
        By which colour do people know the {a} of {b}?
        """
    ),
    "kin": lines(
        """
        Whom has {b} for a {a}?
        Tell me who is {a} to {b}.
        Which person is known as {a} of {b}?
        The {a} of {b}, who is it?
        Do you know the name of the {a} that {b} has?
        """
    ),
    "owner": lines(
        """
        Who has the {a} at {b}?
        Tell me whose the {a} at {b} is.
        Which person does the {a} at {b} belong to?
        The {a} at {b}, who paid for it?
        Who must be asked for the {a} at {b}?
        """
    ),
    "store": lines(
        """
        Where do they keep the {a} {b}?
        Tell me where the {a} {b} is.
        To which place was the {a} {b} taken?
        The {b} of the {a} family, where would I look for it?
        In what place has the {a} {b} come to rest?
        """
    ),
    "trade": lines(
        """
        How does {a} {b} earn a living?
        Tell me the trade of {a} {b}.
        As what does {a} {b} work?
        Which trade did {a} {b} learn?
        What sign hangs on the door of {a} {b}?
        """
    ),
    "carry": lines(
        """
        What has {a} {b} at hand?
        Tell me what {a} {b} carries.
        Without which thing does {a} {b} never go out?
        Which thing would I find with {a} {b}?
        What does {a} {b} take along?
        """
    ),
    "pet": lines(
        """
        What kind of animal has {a} {b}?
        Tell me which animal {a} {b} keeps.
        Which creature sleeps in the house of {a} {b}?
        What animal follows {a} {b} about?
        What beast does {a} {b} care for?
        """
    ),
    "craving": lines(
        """
        What food would please {a} {b}?
        Tell me what {a} {b} longs for.
        What should one bring {a} {b} to eat?
        Of which food does {a} {b} dream?
        What would {a} {b} ask for at supper?
        """
    ),
    "sailing": lines(
        """
        At what time does the {a} {b} go?
        Tell me when the {a} {b} leaves.
        By which hour must I be there for the {a} {b}?
        When does the {a} {b} cast off?
        The {a} {b}, when is it gone?
        """
    ),
    "price": lines(
        """
        How much is a {b} at {a}?
        Tell me the price of a {b} in {a}.
        What would I pay for a {b} at {a}?
        For how many pence do they sell a {b} in {a}?
        What do they ask for a {b} at {a}?
        """
    ),
    "smell": lines(
        """
        Of what does the {a} {b} smell?
        Tell me what the {a} {b} smells of.
        What would I smell in the {a} {b}?
        By which scent does one know the {a} {b}?
        What is in the air of the {a} {b}?
        """
    ),
    "seen": lines(
        """
        Where would I find {a} {b} by now?
        Tell me where {a} {b} was last seen.
        To which place has {a} {b} come?
        What was the last place of {a} {b}?
        Where did {a} {b} turn up last?
        """
    ),
    "holds": lines(
        """
        What would I find in the {a} of {b}?
        Tell me what the {a} of {b} holds.
        Which things are in the {a} of {b}?
        What did {b} put into the {a}?
        What does {b} keep in the {a}?
        """
    ),
}

FURTHER_PARAPHRASES: dict[str, tuple[str, ...]] = {
    "colour": lines(
        """
        Say the hue of {b}'s {a}.
        Of what tint is {b}'s {a}?
        {b}'s {a} came in which tint?
        What hue would one call {b}'s {a}?
        Which hue was given to {b}'s {a}?
        """
    ),
    "kin": lines(
        """
        Who goes by the title of {b}'s {a}?
        Point out {b}'s {a}.
        {b}'s {a} would be which person?
        Who passes for {b}'s {a}?
        Which person counts as {a} with {b}?
        """
    ),
}

ABSTENTION = "The chronicle does not say."
"""The answer to a question that no fact of the document answers."""


def lowest(relation: str, forms: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The `count` forms of the lowest hash, in the order of the table."""
    ranked = sorted(forms, key=lambda form: zlib.crc32(f"{relation}|{form}".encode()))[:count]
    return tuple(form for form in forms if form in ranked)


def in_language(relation: Relation, language: Language) -> Relation:
    """The relation with the statements and questions that a language has."""
    if language == "core":
        return relation
    statements, questions = FURTHER_STATEMENTS[relation.name], FURTHER_QUESTIONS[relation.name]
    unseen = lowest(relation.name, statements, HELD_OUT_STATEMENTS)
    unasked = lowest(relation.name, questions, HELD_OUT_QUESTIONS)
    paraphrases = FURTHER_PARAPHRASES.get(relation.name, ())
    unreworded = lowest(relation.name, paraphrases, HELD_OUT_PARAPHRASES)
    if language == "held-out":
        return replace(relation, statements=unseen, questions=unasked, paraphrases=unreworded)
    core = f"{relation.clause} {{value}}{relation.after}"
    return replace(
        relation,
        statements=(core, *(form for form in statements if form not in unseen), *WIDER_STATEMENTS[relation.name]),
        questions=(
            *relation.questions,
            *(form for form in questions if form not in unasked),
            *WIDER_QUESTIONS[relation.name],
        ),
        paraphrases=(*relation.paraphrases, *(form for form in paraphrases if form not in unreworded)),
    )


LANGUAGES: tuple[Language, ...] = ("core", "trained", "held-out")
RELATION_IN: dict[Language, dict[str, Relation]] = {
    language: {name: in_language(relation, language) for name, relation in RELATION.items()} for language in LANGUAGES
}
"""By language and name."""
