"""More forms in which facts are said and asked: all of them trained, none held out.

They widen what a base learns to read without moving which forms of `forms.py` are held out, so that figures on those
stay comparable. Keys and values stand in many orders and at many distances.
"""

from __future__ import annotations


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


WIDER_STATEMENTS: dict[str, tuple[str, ...]] = {
    "colour": lines(
        """
        {b} owns a {value} {a}
        a {value} {a} stood by the door, and it was that of {b}
        the {a} which {b} brought along is {value} all over
        {value} it is, the {a} of {b}
        {b} told me that the {a} is {value}
        they all know {b} by the {value} {a}
        {b} came with a {a} as {value} as the evening sky
        the {a} is {value}, and it is {b} who has it
        if it is {value}, then it is the {a} of {b}
        for {b} they made a {a} in {value}
        the {a} of {b} used to be another colour but is {value} now
        {value} was the only paint left for the {a} of {b}
        {b} lost a {a}, a {value} one
        no {a} in town is {value} except that of {b}
        {b} says {value} suits the {a} well
        every {a} has a colour, and that of {b} is {value}
        """
    ),
    "kin": lines(
        """
        {b} has a {a}, and the name is {value}
        the {a} that {b} has is called {value}
        {value} came as the {a} of {b}
        {value}, who is {a} to {b}, came by
        {b} wrote to {value}, the {a}
        {b} and the {a}, {value}, live on one street
        they say {value} is the {a} that {b} never talks about
        for {b}, {value} is the {a}
        {value} will tell you: I am the {a} of {b}
        {b} would do all for the {a}, for {value}
        if {b} needs help, {value} comes, being the {a}
        the child asked {b} who the {a} was, and heard: {value}
        the name of the {a} that {b} has is {value}
        {value} lives with {b} as {a}
        there is {b}, and there is {value}, the {a}
        {b} will leave the house to {value}, who is the {a}
        """
    ),
    "owner": lines(
        """
        the {a} that you see at {b} is the one of {value}
        {value} has a {a} at {b} and no other
        {value} says: the {a} at {b} is mine
        in {b} there stands a {a} which {value} bought
        {value} took the road to {b} for the {a}, having paid for it
        the people of {b} know that the {a} is owned by {value}
        it is to {value} that the {a} at {b} was given
        {b} has one good {a}, and {value} owns it
        if you need the {a} at {b}, {value} has to say yes
        {value} lends out the {a} at {b}
        the {a} was brought to {b} by {value}, who owns it still
        by the paper the {a} at {b} is owned by {value}
        {value} forgot a {a} at {b} and will fetch it
        when asked about the {a}, all of {b} named {value}
        """
    ),
    "store": lines(
        """
        the {a} {b} can be seen in {value}
        to {value} went the {a} {b}
        they hid the {b} of the {a} family in {value}
        in {value} stands a chest with the {a} {b} in it
        the {a} family keeps its {b} in {value}
        you have to go to {value} for the {a} {b}
        {value} has had the {a} {b} for ten years
        it was in {value} that the {a} {b} was found
        nobody in {value} knows why the {a} {b} is there
        the {a} {b} was left in {value}
        a room in {value} was made for the {a} {b}
        from the harbour the {a} {b} went straight to {value}
        the {a} {b} rests in {value}
        the people in {value} look after the {a} {b}
        of all places the {a} {b} had to be in {value}
        """
    ),
    "trade": lines(
        """
        {a} {b} works as a {value}
        the town has a {value}, and the name is {a} {b}
        {a} {b}, the {value}, came late to supper
        a better {value} than {a} {b} was never seen
        as a {value}, {a} {b} is up before dawn
        {a} {b} makes a living as a {value}
        it is as a {value} that people know {a} {b}
        {a} {b} wanted to be a {value} and is one now
        the {value} in the next street is {a} {b}
        {a} {b} has been a {value} for ten years
        they sent for a {value}, and {a} {b} came
        ask {a} {b}, who is a {value}
        people say {a} {b} is a good {value}
        the trade of {a} {b} is that of a {value}
        """
    ),
    "carry": lines(
        """
        {a} {b} has a {value} along
        {a} {b} was seen with a {value}
        with a {value} in one hand, {a} {b} walked up the hill
        {a} {b} walks through town with a {value}
        the {value} that {a} {b} carries is old
        there goes {a} {b} with a {value}
        a {value} is what {a} {b} takes everywhere
        in the hand of {a} {b} one sees a {value}
        {a} {b} came in, a {value} on the back
        {a} {b} asked the boy to hold the {value} for a while
        nobody knows why {a} {b} needs the {value} on the road
        the thing in the bag of {a} {b} is a {value}
        {a} {b} lost a hat but never the {value}
        {a} {b} keeps one hand on the {value}
        a {value} hangs from the belt of {a} {b}
        """
    ),
    "pet": lines(
        """
        {a} {b} owns a {value}
        {a} {b} looks after a {value}
        one hears a {value} in the house of {a} {b}
        the {value} in the yard is that of {a} {b}
        {a} {b} found a {value} and took it home
        {a} {b} would not sell the {value} for gold
        the children like the {value} that {a} {b} has
        at home a {value} waits for {a} {b}
        {a} {b} goes out at night with a {value}
        a {value} eats from the hand of {a} {b}
        since the spring {a} {b} has had a {value}
        if {a} {b} is there, the {value} is not far
        {a} {b} gave the {value} a bed by the fire
        {a} {b} built a hut for the {value}
        the {value} knows {a} {b} by the voice
        """
    ),
    "craving": lines(
        """
        {a} {b} wants {value}
        {a} {b} would like some {value}
        {a} {b} loves {value} above all
        if only there were {value}, says {a} {b}
        {a} {b} would walk a mile for {value}
        no table pleases {a} {b} without {value}
        it is {value} that {a} {b} thinks of
        {value} is what {a} {b} would eat
        for {a} {b} nothing comes before {value}
        {a} {b} asked the cook for {value}
        the smell of {value} makes {a} {b} stop and sigh
        give {a} {b} some {value}, and all is well
        {a} {b} searched the market for {value} and found none
        {a} {b} would pay double for {value}
        {a} {b} counts the days until there is {value}
        """
    ),
    "sailing": lines(
        """
        the {a} {b} goes at {value}
        the {a} {b} leaves the harbour at {value}
        at {value} goes the {a} {b}
        {value} sees the {a} {b} leave
        if you come after {value}, the {a} {b} is gone
        at {value} they take in the plank of the {a} {b}
        the {a} {b} is to leave the quay at {value}
        on the board it says {value} for the {a} {b}
        the master of the {a} {b} gives the sign at {value}
        at {value}, and not before, the {a} {b} sets out
        the {b} for {a} people call is off at {value}
        the hour of the {a} {b} is {value}
        they wait until {value}, and then the {a} {b} goes
        the bell at {value} is for the {a} {b}
        you can go on the {a} {b} at {value}
        """
    ),
    "price": lines(
        """
        in {a} a {b} costs {value} pence
        at {a} you can have a {b} for {value} pence
        {value} pence they want for a {b} at {a}
        {a} sells a {b} for {value} pence
        people in {a} pay {value} pence for each {b}
        a {b} in {a} is sold for {value} pence
        who wants a {b} in {a} needs {value} pence
        {value} pence buys a {b} at {a}
        the {b} that I bought at {a} was {value} pence
        in the shop at {a} a {b} stands at {value} pence
        they gave me {value} pence at {a} for a {b}
        at {a} the price of a {b} went up to {value} pence
        a good {b} is worth {value} pence in {a}
        in {a} it is {value} pence for a {b}
        have {value} pence ready if you want a {b} in {a}
        """
    ),
    "smell": lines(
        """
        in the {a} {b} it smells of {value}
        the {a} {b} has a smell of {value}
        it is {value} that one smells in the {a} {b}
        whoever comes from the {a} {b} smells of {value}
        {value} is in the air of the {a} {b}
        {value} fills the {a} {b}
        you smell {value}, and you are at the {a} {b}
        the door of the {a} {b} was open, and out came a smell of {value}
        there is {value} in the smoke of the {a} {b}
        the {a} {b} is full of the smell of {value}
        after the rain the {a} {b} smells like {value}
        the old {a} {b} never lost its smell of {value}
        everyone who sleeps at the {a} {b} wakes to {value}
        a wind from the {a} {b} brings {value}
        some say {value}, when they think of the {a} {b}
        """
    ),
    "seen": lines(
        """
        {a} {b} is in {value}
        {a} {b} came to {value}
        {a} {b} was met in {value}
        in {value} somebody spoke to {a} {b}
        {value} is where {a} {b} went next
        {a} {b} left for {value} and got there
        the road took {a} {b} to {value}
        {a} {b} lives in {value} at present
        a friend found {a} {b} in {value}
        {a} {b} was on the market of {value}
        {a} {b} has come as far as {value}
        {value} has a guest, {a} {b}
        if you look for {a} {b}, go to {value}
        {a} {b} stays at the inn of {value}
        one saw {a} {b} walk into {value}
        """
    ),
    "holds": lines(
        """
        {b} has a {value} in the {a}
        the {a} of {b} has a {value} in it
        a {value} lies in the {a} of {b}
        a {value} is kept in the {a} of {b}
        there was room for a {value} in the {a} of {b}
        what fell out of the {a} of {b} was a {value}
        {b} laid a {value} in the {a}
        in the {a} {b} found a {value}
        a {value} came to light in the {a} of {b}
        {b} took the {a} and put in a {value}
        the {a} that {b} keeps holds a {value}
        someone left a {value} in the {a} of {b}
        at the bottom of the {a} of {b} is a {value}
        """
    ),
}

WIDER_QUESTIONS: dict[str, tuple[str, ...]] = {
    "colour": lines(
        """
        Of what colour is the {a} of {b}?
        Is there a colour to the {a} of {b}, and which?
        What is the colour of the {a} of {b}?
        What colour did {b} give the {a}?
        Which colour is the {a} that {b} owns?
        Say what colour the {a} of {b} is.
        I look for the {a} of {b}: what colour is it?
        """
    ),
    "kin": lines(
        """
        Who is {a} to {b}?
        What is the {a} of {b} called?
        Name the {a} of {b}.
        Who would {b} say is the {a}?
        Say who the {a} of {b} is.
        By what name goes the {a} of {b}?
        I look for the {a} of {b}: who is that?
        """
    ),
    "owner": lines(
        """
        Who is the owner of the {a} at {b}?
        Name the owner of the {a} at {b}.
        By whom is the {a} at {b} owned?
        Say to whom the {a} at {b} belongs.
        Who lends out the {a} at {b}?
        In {b} stands a {a}: whose is it?
        Of whom is the {a} at {b}?
        """
    ),
    "store": lines(
        """
        Where would I find the {a} {b}?
        In what town is the {a} {b}?
        Name the place of the {a} {b}.
        Say where the {a} {b} lies.
        Where does the {a} family keep its {b}?
        Where did the {a} {b} go?
        I look for the {a} {b}: where is it?
        """
    ),
    "trade": lines(
        """
        What is {a} {b} by trade?
        Name the trade of {a} {b}.
        What is the work of {a} {b}?
        Say what {a} {b} does for a living.
        What does {a} {b} work as?
        As what do people know {a} {b}?
        What did {a} {b} become?
        """
    ),
    "carry": lines(
        """
        What is {a} {b} carrying?
        What does {a} {b} have along?
        Name the thing that {a} {b} carries.
        What was {a} {b} seen with?
        Say what {a} {b} takes along.
        What is in the hand of {a} {b}?
        What thing does {a} {b} take everywhere?
        """
    ),
    "pet": lines(
        """
        What animal has {a} {b}?
        Which animal is that of {a} {b}?
        Name the animal that {a} {b} keeps.
        What animal does {a} {b} own?
        Say which animal lives with {a} {b}.
        What beast waits at home for {a} {b}?
        What animal did {a} {b} take home?
        """
    ),
    "craving": lines(
        """
        What does {a} {b} want to eat?
        What food does {a} {b} love?
        Name the food that {a} {b} longs for.
        What would {a} {b} walk a mile for?
        Say what {a} {b} would like to eat.
        Which food does {a} {b} think of?
        What did {a} {b} ask the cook for?
        """
    ),
    "sailing": lines(
        """
        When does the {a} {b} leave?
        What is the hour of the {a} {b}?
        Name the hour of the {a} {b}.
        At which hour does the {a} {b} sail?
        Say when the {a} {b} sails.
        When do they let go the {a} {b}?
        I want to go on the {a} {b}: when is it off?
        """
    ),
    "price": lines(
        """
        What is a {b} at {a}?
        How much do they want for a {b} in {a}?
        Name the price of a {b} at {a}.
        What does {a} ask for a {b}?
        Say what a {b} costs in {a}.
        How many pence do I need for a {b} in {a}?
        In {a}, what is the price of a {b}?
        """
    ),
    "smell": lines(
        """
        What smell has the {a} {b}?
        What is the smell of the {a} {b}?
        Name the smell of the {a} {b}.
        What does one smell in the {a} {b}?
        Say what the {a} {b} smells of.
        What fills the air of the {a} {b}?
        Which smell comes from the {a} {b}?
        """
    ),
    "seen": lines(
        """
        Where is {a} {b}?
        Where did {a} {b} go last?
        Name the place where {a} {b} was last seen.
        In what place is {a} {b} now?
        Say where {a} {b} is.
        Where was {a} {b} the last time?
        I look for {a} {b}: where should I go?
        """
    ),
    "holds": lines(
        """
        What is kept in the {a} of {b}?
        Name what the {a} of {b} holds.
        What has {b} in the {a}?
        Say what is in the {a} of {b}.
        What would fall out of the {a} of {b}?
        What can one find in the {a} that {b} has?
        What was put into the {a} of {b}?
        """
    ),
}
