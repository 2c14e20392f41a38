"""Words that hold sentences together and say nothing of what is talked about.

Closed classes alone (articles, pronouns, prepositions, conjunctions, auxiliaries, adverbs of
degree), in the languages that are most frequent in the networks. No list of topics: "police" or
"win" must never be in it. In languages without a list, the rule of everyday words stands alone.
"""

from __future__ import annotations

_LISTS = {
    "en": """
        a about above across after again against ago ain ain't all almost along already also
        although always am among an and another any anybody anyone anything anyway are aren't
        around as at away back be because been before behind being below between both but by
        came can can't cannot come could couldn't did didn't do does doesn't doing done don't
        down during each either else enough even ever every everybody everyone everything few
        for from further get gets getting go goes going gone gonna got gotta had hadn't has
        hasn't have haven't having he he'd he'll he's her here here's hers herself him himself
        his how how's however i i'd i'll i'm i've if im in indeed instead into is isn't it it'd
        it'll it's its itself just keep keeps kept know knows least less let let's like lot lots
        made make makes making many may maybe me might mine more most much must my myself near
        nearly need needs neither never no nobody none nor not nothing now of off often oh ok
        okay on once one ones only onto or other others otherwise our ours ourselves out over
        own per perhaps put quite rather really said same saw say saying says see seem seems
        seen several shall she she'd she'll she's should shouldn't since so some somebody
        someone something sometimes somewhere still such take takes taken tell than that that'll
        that's thats the their theirs them themselves then there there's therefore these they
        they'd they'll they're they've thing things think this those though through thus to
        today together told too took toward towards under unless until up upon us use used using
        very via want wants was wasn't way we we'd we'll we're we've well went were weren't what
        what's whatever when where whether which while who who's whoever whole whom whose why
        will with within without won't would wouldn't yes yet you you'd you'll you're you've
        your youre yours yourself yourselves amp via rt u ur im dont cant
    """,
    "de": """
        aber als am an auch auf aus bei beim bin bis bist da dann das dass dein deine dem den
        denn der des dich die dies diese diesem diesen dieser dieses dir doch du durch ein eine
        einem einen einer eines er es euch für gegen haben hat hatte hier ich ihm ihn ihnen ihr
        ihre im in ins ist ja kann kein keine können man mehr mein meine mich mir mit muss
        müssen nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine sich sie sind
        so soll über um und uns unser unter vom von vor war waren warum was weil wenn wer werden
        wie wieder will wir wird wo zu zum zur zwischen
    """,
    "fr": """
        ai alors au aucun aussi autre aux avait avant avec avoir ça car ce cela ces cet cette
        chez comme comment dans de depuis des donc dont du elle elles en encore entre est et
        étaient était été être eu eux fait faire il ils je jamais la là le les leur leurs lui ma
        mais me même mes moi moins mon ne ni non nos notre nous on ont ou où par pas peu peut
        plus pour pourquoi quand que quel quelle qui quoi rien sa sans se sera ses si son sont
        sous sur ta te tes toi ton tous tout toute très tu un une va vers vos votre vous
    """,
    "es": """
        al algo algunos ante antes así aunque bien cada como con contra cual cuando de del desde
        donde dos durante el él ella ellas ellos en entre era es esa ese eso esta está están
        este esto estos fue ha han hasta hay la las le les lo los más me mi mis mucho muy nada
        ni no nos nosotros o os otra otro para pero poco por porque pues que qué quien se sea
        ser si sí sin sobre son su sus también tan te tiene tienen todo todos tu tus un una uno
        usted y ya yo
    """,
    "pt": """
        ao aos as às até cada com como da das de dela dele deles depois do dos e é ela elas ele
        eles em entre era essa esse esta está este eu foi foram há isso isto já lhe mais mas me
        mesmo meu minha muito na não nas nem no nos nós num o os ou para pela pelo por porque
        quando que quem se sem ser seu só sobre sua são também te tem têm tudo um uma vai você
        vocês
    """,
    "it": """
        a ad agli ai al alla alle anche avere c'è che chi ci come con cosa cui da dai dal dalla
        de degli dei del della delle di dove e è ed era essere fa fra gli ha hanno ho i il in io
        la le lei li lo loro lui ma me mi mia mio molto ne nei nel nella no noi non o per perché
        più poi qui quando quello questa questo se sei si sia solo sono sta su sua sul sulla suo
        te ti tra tu tutti tutto un una uno vi voi
    """,
    "nl": """
        aan als al alles ben bij daar dan dat de der deze die dit doch doen door dus een en er
        ge geen haar had heb hebben heeft hem het hier hij hoe hun iets ik in is ja je kan kon
        kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat ons ook
        op over reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we wel
        werd wie wij wil worden zal ze zelf zich zij zijn zo zonder zou
    """,
}

FUNCTION_WORDS: frozenset[str] = frozenset(
    word for words in _LISTS.values() for word in words.split()
)
