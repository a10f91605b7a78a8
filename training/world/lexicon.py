"""Words of the harbour world, by kind. Every word is meant to be one token with a leading space.

Kinds that stand after "a" (objects, trades, animals, goods) begin with a consonant sound.
"""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LEXICON: dict[str, tuple[str, ...]] = {
    "name": words(
        """Mara Tobin Elsa Corin Greta Hugo Nora Silas Wren Otto Lydia Jonas Petra Felix Hanna Edmund
        Clara Simon Agnes Rufus Martha Oscar Flora Gideon Rosa Magnus Judith Conrad Alma Walter Ivy Bram
        Celia Anton Dora Ralph Edith Lucas Tilda Amos Vera Piers Hester Nils Ruth Leopold Ada Bruno Maud
        Kasper Thea Ewan Olga Stefan Lena Harald Miriam Jasper Selma Arthur Berta Henrik Paula Caleb"""
    ),
    "surname": words(
        """Vell Thorne Marsh Calder Finch Holt Pike Rook Barrow Sands Brook Hale Ferris Lock Wade Crane
        Dunn Frost Gale Harper Keel Lund Moss Nash Orme Penn Quill Reed Stone Tarn Vane Webb Yarrow Ashby
        Blythe Coombe Drake Ellis Fenn Grange Hobb Jarvis Kent Lark Mercer Norris Oakes Pryor"""
    ),
    "place": words(
        """Arden Brack Corfe Dunmore Elmsea Farrow Garth Hythe Inver Kilda Lorne Mallow Neath Orrin Pendle
        Quarry Rye Skerry Tamar Ulver Varne Whitby Yell Zennor Ashford Benwick Carrow Dorrit Easton Fenwick
        Gosport Hallow Kelso Linden Morwen Norton Ormond Padstow Rosen Selby Torrin Upton Alder Birch Cove
        Dell Glen Heath Lowmoor Marl Staithe Thistle Windle"""
    ),
    "object": words(
        """lantern compass kettle ledger mirror fiddle saddle barrel basket bucket candle chest clock cloak
        coat dagger drum flute goblet hammer harp helmet horn jug key knife ladder locket map medal needle
        net pistol pitcher plate purse quilt ring rope sail scarf shawl shovel spade spyglass stool sword
        table teapot trumpet trunk violin whistle"""
    ),
    "colour": words(
        """amber scarlet crimson green blue white black grey yellow orange purple violet brown pink gold
        silver copper bronze ivory cream indigo turquoise olive russet tan maroon rose lilac jade ruby
        emerald pearl coral saffron slate charcoal rust azure teal lemon"""
    ),
    "trade": words(
        """baker cooper smith tailor weaver miller fisher sailor potter tanner mason carpenter glover hatter
        brewer butcher cobbler barber doctor teacher priest lawyer printer painter singer piper clerk banker
        grocer farmer shepherd gardener hunter pilot diver porter cook maid groom jeweller joiner sexton
        judge poet spinner dyer roper thatcher fiddler tinker"""
    ),
    "animal": words(
        """cat dog goat parrot raven crow hen goose duck pony mule donkey pig sheep lamb rabbit hare ferret
        fox badger falcon hawk pigeon dove swan turkey cow calf bull toad frog newt snake turtle lizard
        mouse rat squirrel magpie jackdaw seal crab lobster monkey bear wolf cricket bee"""
    ),
    "food": words(
        """plums pears apples cherries figs bread butter cheese honey ham bacon beef mutton herring salmon
        trout oysters mussels porridge soup stew broth pie pudding cake toast jam ginger almonds walnuts
        raisins dates beans peas onions leeks cabbage turnips mushrooms cider ale milk tea coffee cocoa rum
        wine"""
    ),
    "smell": words(
        """tar cedar thyme smoke lavender fish leather pine soap wax rosemary mint peat hay dust varnish
        vinegar ink paint brine rain damp clove cinnamon pepper garlic sage roses lilies oil iron sulphur
        chalk wool wood straw tobacco incense resin juniper nutmeg basil fennel"""
    ),
    "building": words(
        """mill inn chapel school barn tower hall church forge stable bakery brewery market prison hospital
        library theatre lighthouse cottage tavern warehouse station"""
    ),
    "boat": words(
        "ferry barge packet sloop cutter ketch lugger schooner brig yawl tug dinghy steamer trawler skiff cog"
    ),
    "hour": words(
        """one two three four five six seven eight nine ten eleven twelve noon dawn dusk midnight sunrise
        sunset"""
    ),
    "number": words(
        """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"""
    ),
    "goods": words(
        """loaf blanket brush broom bonnet button cushion comb doll feather glove hat kite lamp mat nail pan
        pen pillow pipe pot ribbon sack shirt spoon stocking sponge tile towel wheel whip wig"""
    ),
    "kin": words(
        """sister brother cousin uncle aunt nephew niece master pupil partner rival tenant neighbour godson
        friend landlord servant"""
    ),
}


ALIASES: dict[str, str] = dict(
    pair.split("=")
    for pair in words(
        """Mara=Mimi Tobin=Toby Elsa=Ellie Greta=Gretchen Nora=Nonie Silas=Sy Lydia=Liddy Jonas=Jory Felix=Fitz
        Hanna=Annie Edmund=Ned Clara=Clary Simon=Sim Agnes=Nessie Martha=Patty Oscar=Ozzy Flora=Flossie
        Magnus=Mags Judith=Judy Walter=Wat Dora=Dolly Ralph=Rafe Edith=Edie Lucas=Luke Hester=Hetty
        Leopold=Poldy Maud=Maudie Stefan=Steve Harald=Harry Arthur=Artie Berta=Bertie Henrik=Rik Paula=Polly
        Caleb=Cal Gideon=Giddy Miriam=Mitzi
        basket=hamper barrel=cask bucket=pail candle=taper cloak=cape clock=timepiece coat=jacket dagger=dirk
        goblet=chalice jug=ewer lantern=torch ledger=register map=chart medal=badge plate=dish purse=wallet
        quilt=coverlet rope=cord scarf=muffler shovel=scoop stool=seat sword=sabre trumpet=bugle trunk=case
        friend=chum master=boss partner=ally rival=foe tenant=lodger pupil=student servant=valet cousin=kinsman"""
    )
)
"""Another word for the same: nicknames and synonyms. Facts never use them, questions may."""


QUESTION_WORDS: tuple[str, ...] = words("hue tint")
"""Words of paraphrased questions that no fact and no filler uses."""
ENTITY_WORDS: tuple[str, ...] = tuple(sorted({word for kind in LEXICON.values() for word in kind}))
