/// Tasks passed, with what that says of the share.
package struct HarnessScore: Codable, Sendable, Equatable {
    /// Tasks passed.
    package let passed: Int
    /// Tasks done.
    package let total: Int
    /// `passed / total`; 0 of none.
    package let rate: Double
    /// The 95% Wilson interval of the rate: lower and upper end.
    package let ci95: [Double]

    /// Makes a score.
    package init(passed: Int, total: Int) {
        self.passed = passed
        self.total = total
        rate = total > 0 ? Double(passed) / Double(total) : 0
        let interval = Statistics.wilsonInterval(passed: passed, total: total)
        ci95 = [interval.lowerBound, interval.upperBound]
    }
}

/// A run of the harness in counts: the contents of `logs/eval_summary.json`.
package struct HarnessSummary: Codable, Sendable, Equatable {
    /// A name for the run.
    package let tag: String
    /// The model's name.
    package let model: String
    /// The adapter's path; nil for the bare model.
    package let adapter: String?
    /// Tasks passed.
    package let passed: Int
    /// Tasks done.
    package let total: Int
    /// `passed / total`.
    package let rate: Double
    /// The 95% Wilson interval of the rate: lower and upper end.
    package let ci95: [Double]
    /// The same by category.
    package let categories: [String: HarnessScore]
    /// How long the run took.
    package let seconds: Double
    /// The program's version.
    package let codeVersion: String

    /// Makes a summary.
    package init(
        tag: String, model: String, adapter: String?, score: HarnessScore,
        categories: [String: HarnessScore], seconds: Double, codeVersion: String
    ) {
        self.tag = tag
        self.model = model
        self.adapter = adapter
        passed = score.passed
        total = score.total
        rate = score.rate
        ci95 = score.ci95
        self.categories = categories
        self.seconds = seconds
        self.codeVersion = codeVersion
    }

    private enum CodingKeys: String, CodingKey {
        case tag, model, adapter, passed, total, rate, ci95, categories, seconds
        case codeVersion = "code_version"
    }

    /// Writes all fields; of a bare model `adapter` is null, not absent.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(tag, forKey: .tag)
        try container.encode(model, forKey: .model)
        try container.encode(adapter, forKey: .adapter)
        try container.encode(passed, forKey: .passed)
        try container.encode(total, forKey: .total)
        try container.encode(rate, forKey: .rate)
        try container.encode(ci95, forKey: .ci95)
        try container.encode(categories, forKey: .categories)
        try container.encode(seconds, forKey: .seconds)
        try container.encode(codeVersion, forKey: .codeVersion)
    }
}
