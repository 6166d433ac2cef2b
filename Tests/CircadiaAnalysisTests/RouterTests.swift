import Testing

import CircadiaAnalysis
import CircadiaConversation

@Suite("Router")
struct RouterTests {
    private static func exchange(_ user: String, _ assistant: String = "Sure.") -> Exchange {
        Exchange(messages: [
            ChatMessage(role: .user, content: user),
            ChatMessage(role: .assistant, content: assistant),
        ])
    }

    /// Text, and the name of the reason that must be among those found.
    static let storeCases: [(text: String, reason: String)] = [
        ("```\nhello\n```", "code"),
        ("~~~swift\nlet x = 1\n~~~", "code"),
        ("Call `parse_row(line)` first.", "code"),
        ("set `maxRetries` lower", "code"),
        ("def add(a, b):\n    return a + b", "code"),
        ("from pathlib import Path\nprint(Path.cwd())", "code"),
        ("import numpy as np", "code"),
        ("for row in rows:\n    total += row.price", "code"),
        ("df.groupby(\"city\").mean()", "code"),
        ("const x = await fetch(url);", "code"),
        ("items.map(item => item.name)", "code"),
        ("function area(r) { return 3 * r * r; }", "code"),
        ("let names = people.filter { $0.age > 30 }", "code"),
        ("func greet(name: String) -> String {\n    name\n}", "code"),
        ("guard let url = URL(string: text) else { return nil }", "code"),
        ("#include <stdio.h>\nint main(void) { return 0; }", "code"),
        ("std::vector<int> v;", "code"),
        ("for (int i = 0; i < n; i++) {\n  sum += a[i];\n}", "code"),
        ("public static void main(String[] args) {", "code"),
        ("fn main() {\n    println!(\"hi\");\n}", "code"),
        ("package main\n\nfunc main() {}", "code"),
        ("$total = $price * 2;", "code"),
        ("SELECT name FROM users WHERE id = 3;", "code"),
        ("select * from orders", "code"),
        ("INSERT INTO t VALUES (1)", "code"),
        ("<div class=\"box\">Hi</div>", "code"),
        ("body { color: red; }", "code"),
        ("How do I undo git commit --amend?", "code"),
        ("Then run pip install requests and start again", "code"),
        ("npm run build fails on my laptop", "code"),
        ("sudo systemctl restart nginx", "code"),
        ("docker run -it ubuntu bash", "code"),
        ("$ ls\nnotes.txt", "code"),
        ("find . -name \"*.log\" -delete", "code"),
        ("cat data.csv | sort | uniq -c", "code"),
        ("export EDITOR=vim", "code"),
        ("PATH=/opt/bin", "code"),
        ("cargo build", "code"),
        ("chmod 755 deploy", "code"),
        ("#!/bin/sh\necho hi", "code"),
        ("Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>", "code"),
        ("java.lang.NullPointerException: null\n\tat com.shop.Cart.add(Cart.java:42)", "code"),
        ("TypeError: x is not a function\n    at run (app.js:10:5)", "code"),
        ("thread 'main' panicked at src/main.rs:4:5", "code"),
        ("main.c:12:5: error: expected ';' before 'return'", "code"),
        ("Exception in thread \"main\" java.lang.Error", "code"),
        ("goroutine 1 [running]", "code"),
        ("#0  0x00000000004005d4", "code"),
        ("npm ERR! code ELIFECYCLE", "code"),
        ("Segmentation fault (core dumped)", "code"),
        ("File \"a.py\", line 3", "code"),
        ("at run /srv/app.js:10:5", "code"),
        ("npx create-app", "code"),
        ("brew upgrade", "code"),
        ("terraform apply", "code"),
        ("python -V", "code"),
        ("node server.js", "code"),
        ("ssh sam@host", "code"),
        ("rm -r old", "code"),
        ("chmod u+x run", "code"),
        ("tail it | wc", "code"),
        ("--- a/notes", "code"),
        ("<br>", "code"),
        ("DROP TABLE visits", "code"),
        ("f = lambda x: x", "code"),
        ("use std::io;", "code"),
        ("except ValueError", "code"),
        ("load()", "code"),
        ("C:\\Temp", "code"),
        ("deadbeef-cafe-babe-face-feedfacefeed", "code"),
        ("[ERROR] the disk is full", "code"),
        ("DEBUG: started", "code"),
        ("error[E0382]: borrow of moved value", "code"),
        ("diff --git a/x b/x\n@@ -1,2 +1,2 @@", "code"),
        ("=SUM(A1:A9) gives the wrong total", "code"),
        ("\\frac{1}{2} of it", "code"),
        ("It is in ~/Library/Logs", "code"),
        ("Look in /var/log/syslog please", "code"),
        ("It crashed at 0x7fff5fbff8c0", "code"),
        ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "code"),
        ("2026-03-02T08:15:30Z ERROR worker died", "code"),
        ("[server]\nport = 80", "code"),
        ("if ready:\n    start = now\nelse:\n    stop = now", "code"),
        ("See https://example.org/a?b=c", "links"),
        ("It is on www.bakery.de/rolls", "links"),
        ("I found it on example.com yesterday.", "links"),
        ("forum.gardeners.net/roses/12 has it", "links"),
        ("it is on EXAMPLE.COM", "links"),
        ("ftp://files.example.org/x", "links"),
        ("{\"name\": \"Ada\", \"age\": 36}", "json"),
        ("\"port\": 8080,", "json"),
        ("{'a': 1}", "json"),
        ("{ colour: blue, size: 4 }", "json"),
        ("[1, 2, 3]", "json"),
        ("[\"tea\", \"milk\"]", "json"),
        (String(repeating: "word and ", count: 40), "long"),
        ("1234 5678 9012 3456 78901", "numbers"),
        ("Readings: 12.5, 13.1, 11.9, 14.2, 15.0, 13.3, 12.2, 11.1", "numbers"),
    ]

    @Test("What must stay exact goes to the store", arguments: storeCases)
    func sendsToStore(text: String, reason: String) {
        for exchange in [Self.exchange(text), Self.exchange("What is this?", text)] {
            let decision = Router.decide(exchange)
            #expect(decision.destination == .store)
            #expect(decision.trains)
            #expect(decision.reasons.map(\.name).contains(reason), "\(decision.explanation)")
        }
    }

    static let plainCases: [String] = [
        "Good morning! How did you sleep?",
        "I like my answers short; two sentences at most (really).",
        "We went to the market (the one by the river); it rained; we came back.",
        "Let me think about it: yes, and no.",
        "Dinner was great :) and the cake ;)",
        "Call me Sam, please.",
        "My sister moved to Leeds in May 2023, she is 34.",
        "He arrived (late);",
        "For everyone in town:\nbring a chair.",
        "If you want:\nwe can go tomorrow.",
        "Shopping:\n- milk\n- eggs\n- bread",
        "Dinner: pasta\nDessert: plums",
        "1. wake up\n2. stretch\n3. tea",
        "Please make dinner plans and find me a nice place.",
        "Go run a marathon? No thanks!",
        "Buy yarn, start knitting.",
        "Let x be the number of guests; I think it is 12.",
        "Select a few photos from the trip and import them.",
        "My class today: two hours of Latin.",
        "The function of sleep (as I see it) is rest.",
        "I prefer tea/coffee and/or juice, either is fine.",
        "She said \"import taxes are high\" and left.",
        "It costs $5 or 4 euros & a smile.",
        "Fun times (we had)!",
        "Open 24/7, even on 3/4 of the holidays.",
        "My e-mail is sam@example.com, write me.",
        "The U.S. team won 3:2, e.g. by luck, i.e. no skill.",
        "Well... that was close!!! ==> next time better",
        "Why not? -> because I said so",
        "Return to me when you are done; return soon.",
        "I was born on 1990-05-12 and I weigh 70.5 kg.",
        "[shares a photo of a dog by a wall]",
        "[laughs]",
        "# Shopping\nWe need more bread.",
        "@anna can you come?",
        "WARNING: wet floor",
        "He said: 'try again'. Then he left; nobody followed.",
        "Node.js and ASP.NET are things I never learnt.",
        "Ist das gut? Ja; (vielleicht) schon.",
        "昨日は楽しかったです。また行きましょう。",
        "The thing(s) I need: rest, food (a lot) and you.",
        "👍🏽 ❤️ (╯°□°)╯",
        "Note to self: be kind. PS: call mum!",
        "A swift test of patience, the cargo check at customs.",
        "Cats > dogs, and 5 > 4.",
        "Use less salt = better taste",
        "In case of rain, while we wait, do the dishes.",
    ]

    @Test("Plain talk trains the weights only", arguments: plainCases)
    func keepsPlainTalk(text: String) {
        let decision = Router.decide(Self.exchange(text))
        #expect(decision.destination == .weights, "\(decision.explanation)")
        #expect(decision.trains)
        #expect(decision.reasons.map(\.name) == ["plain"])
    }

    @Test("Length and digits count over all messages, and only above the threshold")
    func thresholds() {
        func decide(_ first: String, _ second: String) -> String {
            Router.decide(Self.exchange(first, second)).reasons.map(\.name).joined(separator: ",")
        }
        let limit = Router.longestPlainTalk
        #expect(decide(String(repeating: "é", count: limit - 1), "y") == "plain")
        #expect(decide(String(repeating: "é", count: limit), "y") == "long")
        let digits = Router.mostPlainDigits
        #expect(decide("a " + String(repeating: "7 ", count: digits - 1), "7") == "plain")
        #expect(decide("a " + String(repeating: "7 ", count: digits), "7") == "numbers")
    }

    @Test("A system message does not decide")
    func ignoresSystem() {
        let exchange = Exchange(messages: [
            ChatMessage(role: .system, content: "See https://example.org and `x = 1`."),
            ChatMessage(role: .user, content: "Hello"),
        ])
        #expect(Router.decide(exchange).destination == .weights)
    }

    @Test("Tags keep an exchange out of training or out of the store")
    func tags() {
        var exchange = Self.exchange("See https://example.org")
        exchange.tags = [Exchange.noTrainTag]
        #expect(Router.decide(exchange).destination == .store)
        #expect(!Router.decide(exchange).trains)
        exchange.tags = [Exchange.noRetrievalTag]
        #expect(Router.decide(exchange).destination == .weights)
        #expect(Router.decide(exchange).explanation == "tagged “no-rag”")
    }

    @Test("Explanations name what was found and never quote it")
    func explanations() {
        let several = Router.decide(
            Self.exchange("`git push` to https://example.org/secretplace", "{\"key\": 1}"))
        #expect(
            several.explanation
                == "code (a shell command); a link; JSON-like data")
        let plain = Router.decide(Self.exchange("Hello", "Hi 5"))
        #expect(
            plain.explanation
                == "plain talk: 9 of 280 characters, 1 of 20 digits, no code, links or JSON")
        let long = Router.decide(Self.exchange(String(repeating: "so ", count: 100), "ok"))
        #expect(long.explanation == "long: 302 characters (more than 280)")
    }
}
