import Testing

import CircadiaNight

@Suite("Paraphrase check")
struct ParaphraseCheckTests {
    @Test(
        "Each refusal has its reason",
        arguments: [
            ("", "How do I bake rye bread?", ParaphraseCheck.Refusal.shape),
            ("One.\n\nTwo.", "How do I bake rye bread?", .shape),
            ("Bread?", "How do I bake rye bread at home on a cold day?", .length),
            ("How do I bake rye bread?", "How do I bake rye bread?", .copy),
            ("What is the best way of baking rye?", "How do I bake 750 g of rye bread?", .factLost),
            ("Here is the message: how to bake rye bread", "How do I bake rye bread?", .meta),
            ("Which train goes to the sea today?", "How should bread be baked?", .unrelated),
            (
                "bake the rye bread bake the rye bread bake the rye bread",
                "How do I bake the rye bread on a stone in the oven?", .repetition
            ),
        ])
    func refusals(paraphrase: String, original: String, expected: ParaphraseCheck.Refusal) {
        #expect(ParaphraseCheck.refusal(of: paraphrase, for: original) == expected)
    }

    @Test("A fair paraphrase passes")
    func accepted() {
        #expect(
            ParaphraseCheck.refusal(
                of: "What is a good way to bake rye bread with 750 g of flour?",
                for: "How do I bake a rye bread from 750 g flour?") == nil)
    }
}
