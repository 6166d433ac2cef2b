/// Lists of English words that searching needs.
package enum EnglishWords {
    /// Words that tell nothing about what a question is about.
    package static let stopWords: Set<String> = Set(
        """
        a about above after again against all am an and any are aren as at be because been before \
        being below between both but by can cannot could couldn d did didn do does doesn doing don \
        down during each few for from further had hadn has hasn have haven having he her here hers \
        herself him himself his how i if in into is isn it its itself just ll m me more most mustn \
        my myself no nor not now o of off on once only or other our ours ourselves out over own re \
        s same shan she should shouldn so some such t than that the their theirs them themselves \
        then there these they this those through to too under until up ve very was wasn we were \
        weren what when where which while who whom why will with won would wouldn y you your yours \
        yourself yourselves
        """.split(separator: " ").map(String.init))

    /// Words of greetings, thanks, assent and requests, which are about nothing.
    package static let smallTalk: Set<String> = stopWords.union(
        """
        hello hi hey hiya morning evening afternoon night good great nice cool awesome fine ok okay \
        yes yeah yep nope sure thanks thank thx cheers welcome please sorry bye goodbye ciao see \
        sounds sound perfect wow lol haha right well today day help helped helpful lot go doing time \
        tell give something anything interesting bored boring
        """.split(separator: " ").map(String.init))

    /// Irregular forms and what a dictionary lists them under.
    package static let baseForms: [String: String] = {
        var forms: [String: String] = [:]
        for entry in irregular.split(separator: ",") {
            let words = entry.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
            for word in words.dropFirst() { forms[word] = words.first }
        }
        return forms
    }()

    /// Base form, then its irregular forms. Words of the stop list stay out.
    private static let irregular = """
        become became, begin began begun, bend bent, bite bit bitten, bleed bled, blow blew blown,
        break broke broken, bring brought, build built, burn burnt, buy bought, catch caught,
        choose chose chosen, come came, creep crept, deal dealt, dig dug, draw drew drawn,
        dream dreamt, drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen,
        feed fed, feel felt, fight fought, find found, flee fled, fly flew flown,
        forget forgot forgotten, forgive forgave forgiven, freeze froze frozen, get got gotten,
        give gave given, go went gone, grow grew grown, hang hung, hear heard, hide hid hidden,
        hold held, keep kept, know knew known, lay laid, lead led, lean leant, learn learnt,
        leave left, lend lent, lie lain, light lit, lose lost, make made, mean meant, meet met,
        pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, say said,
        see saw seen, seek sought, sell sold, send sent, sew sewn, shake shook shaken,
        shine shone, shoot shot, show shown, shrink shrank shrunk, sing sang sung,
        sink sank sunk, sit sat, sleep slept, slide slid, speak spoke spoken, spell spelt,
        spend spent, spill spilt, spin spun, spring sprang sprung, stand stood,
        steal stole stolen, stick stuck, sting stung, strike struck, swear swore sworn,
        sweep swept, swell swollen, swim swam swum, swing swung, take took taken, teach taught,
        tear tore torn, tell told, think thought, throw threw thrown, understand understood,
        wake woke woken, wear wore worn, weave wove woven, weep wept, write wrote written,
        child children, kid kids, person people, man men, woman women, foot feet, tooth teeth,
        mouse mice, goose geese, wife wives, life lives, knife knives, half halves,
        leaf leaves, shelf shelves, wolf wolves, mother mom mum mommy mummy moms mums,
        father dad daddy dads, photo photos picture pictures pic pics photograph photographs,
        television tv, bike bicycle bicycles bikes, phone telephone, fridge refrigerator,
        1 one, 2 two, 3 three, 4 four, 5 five, 6 six, 7 seven, 8 eight, 9 nine, 10 ten,
        11 eleven, 12 twelve
        """
}
