/// How BM25 (Robertson and Zaragoza, 2009) weighs an exchange and its neighbours.
enum LexicalWeights {
    /// How soon a repeated word stops to count, and how much long exchanges pay for their length.
    static let saturation: Float = 1.2
    static let lengthPenalty: Float = 0.4
    /// A word of the exchange before, and of the one after, beside 1 for the exchange's own.
    static let previous: Float = 0.4
    static let following: Float = 0.2
}

/// How the parts of a score are weighed: a linear model, fitted to questions whose evidence is
/// known by the likelihood of the evidence under a softmax over the exchanges, and judged on
/// conversations that it was not fitted to (`Benchmarks/retrieval/README.md`). Nothing in it knows
/// a name or a phrase.
enum FusionWeights {
    /// BM25 of the exchange in its neighbourhood, as a share of the best.
    static let lexical: Float = 3.02
    /// BM25 of what the person asked about said, and of what the other side said: who is asked
    /// about says the answer.
    static let asked: Float = 0.57
    static let otherSide: Float = -0.58
    /// The share of the question's information that exchange and neighbours hold.
    static let coverage: Float = 2.50
    /// Cosine of what the person asked about said; where nobody is named, of the nearer side.
    static let askedNearness: Float = 4.49
    /// Cosine of the other side.
    static let otherNearness: Float = 1.55
    /// Cosines of the exchange before, by side: a question of the other side, mostly.
    static let previousUserNearness: Float = 0.95
    static let previousOtherNearness: Float = 2.10
    /// Mean cosine of the exchange after.
    static let followingNearness: Float = 0.58
    /// What stands in for a neighbour that is not there: this share of the exchange's own cosine.
    static let absentNeighbour: Float = 0.7
    /// The person asked about names a time, when a time is asked for.
    static let namesTime: Float = 1.85
    /// The exchange is of the time that the question names, and how near it is to that time.
    static let inTime: Float = 1.2
    static let nearTime: Float = 2.2
    /// Days around a named time within which nearness falls to 1/e, at least.
    static let timeSlackDays: Float = 7
    /// A phrase in double quotes is there as it stands.
    static let phrase: Float = 6
    /// What the newest exchange gains over one of long ago; it decides between equals.
    static let recency: Float = 0.03
    /// Days after which that gain is halved.
    static let recencyHalfLifeDays: Float = 30
    /// What estimates from signs may hide of a score: four times what they are off by in the mean
    /// square, for cosines that are off independently of each other.
    static let sketchMargin: Float = {
        let weights = [
            askedNearness, otherNearness, previousUserNearness, previousOtherNearness,
            followingNearness / 2, followingNearness / 2,
        ]
        return 4 * SignSketch.error * weights.reduce(0) { $0 + $1 * $1 }.squareRoot() + recency
    }()
    /// About what all parts together can reach: scores are shares of it.
    static let whole =
        lexical + asked + coverage + askedNearness + otherNearness + previousUserNearness
        + previousOtherNearness + followingNearness
}
