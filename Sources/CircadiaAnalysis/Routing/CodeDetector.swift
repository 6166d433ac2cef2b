/// What showed that a text holds code, or something as exact as code.
package enum CodeSign: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// A fenced block, or code between backticks.
    case fence
    /// A stack trace or a compiler's message.
    case trace
    /// A command for a shell.
    case command
    /// A patch.
    case patch
    /// HTML, XML or CSS.
    case markup
    /// A query of a database.
    case query
    /// Statements or definitions of a programming language.
    case statement
    /// A spreadsheet's or LaTeX's formula.
    case formula
    /// A path of files.
    case path
    /// A hash, an address of memory, a UUID.
    case identifier
    /// Lines of a program's log.
    case logLine
    /// Several small signs, none enough alone.
    case structure

    /// The sign for people.
    package var description: String {
        switch self {
        case .fence: "a fenced block or backticks"
        case .trace: "a stack trace or compiler message"
        case .command: "a shell command"
        case .patch: "a patch"
        case .markup: "markup"
        case .query: "a database query"
        case .statement: "a statement or definition"
        case .formula: "a formula"
        case .path: "a file path"
        case .identifier: "a hash or identifier"
        case .logLine: "log lines"
        case .structure: "lines shaped like code"
        }
    }
}

/// Finds code in text.
///
/// Each sign is enough by itself and rare in prose. Weak signs, such as a line that ends in `{`
/// or one operator, count only together.
package enum CodeDetector {
    /// This many weak signs together are one sign.
    package static let weakSignsNeeded = 2

    /// The signs of code that a text shows; empty for prose.
    package static func signs(in text: String) -> Set<CodeSign> {
        var signs: Set<CodeSign> = []
        for (sign, pattern) in patterns where pattern.matches(text) { signs.insert(sign) }
        if signs.isEmpty, weakSigns.count(in: text, limit: weakSignsNeeded) >= weakSignsNeeded {
            signs.insert(.structure)
        }
        return signs
    }

    private static let patterns: [(CodeSign, TextPattern)] = [
        (.fence, fence), (.trace, trace), (.command, commandAnywhere),
        (.command, commandLine), (.patch, patch), (.markup, markup), (.query, query),
        (.query, queryInSmallLetters), (.statement, definition), (.statement, expression),
        (.formula, formula), (.path, path), (.identifier, identifier), (.logLine, logLine),
    ]

    private static let fence = TextPattern(
        #"^ {0,3}(?:```|~~~)"#,
        #"```"#,
        // Between backticks, with a character that words do not have.
        #"`[^`\n]*(?:[()\[\]{}=;_/\\<>$|.:]|[a-z][A-Z]| -)[^`\n]*`"#,
        needing: ["`", "~~~"])

    private static let trace = TextPattern(
        #"Traceback \(most recent call last\)"#,
        #"^\s*File "[^"\n]+", line \d+"#,
        #"^\s*at [\w$.<>/]+\((?:[\w.$ -]*\.\w+:\d+|Native Method|Unknown Source)\)"#,
        #"^\s*at .*[\w./\\-]+\.\w+:\d+:\d+\)?\s*$"#,
        #"^Exception in thread ""#,
        #"thread '[^'\n]+' (?:\(\d+\) )?panicked at"#,
        #"^goroutine \d+ \["#,
        #"^\s*#\d+\s+0x[0-9a-fA-F]+"#,
        #"\b(?:[a-z]+\.)*[A-Z][A-Za-z]+(?:Error|Exception)\b(?::|\()"#,
        #"\b[\w./-]+\.\w{1,5}:\d+(?::\d+)?: ?(?:fatal )?(?:error|warning|note)\b"#,
        #"\berror\[E\d{4}\]"#,
        #"\bnpm ERR!"#,
        #"Segmentation fault \(core dumped\)"#,
        needing: [
            "(", ":", "File \"", "in thread", "panicked", "goroutine", "0x", "npm ERR!", "error[",
        ])

    /// Commands that prose does not say.
    private static let commandAnywhere = TextPattern(
        #"\bgit (?:clone|commit|push|pull|checkout|rebase|merge|stash|log|diff|status|add)\b"#,
        #"\bgit (?:init|fetch|branch|reset|remote|cherry-pick|switch|restore|bisect|blame)\b"#,
        #"\bp?npm (?:install|run|start|test|init|ci|i|exec|update|publish)\b"#,
        #"\bnpx [a-z@]"#,
        #"\bpip3? (?:install|freeze|uninstall|list|show)\b"#,
        #"\b(?:apt|apt-get|dnf|yum|brew|conda|gem|helm|winget) (?:un)?install\b"#,
        #"\b(?:apt|apt-get|dnf|yum|brew|conda|gem|helm|winget) (?:update|upgrade|remove)\b"#,
        #"\bdocker (?:run|build|ps|exec|compose|pull|push|images|logs|stop|rm)\b"#,
        #"\bdocker-compose (?:up|down|build|logs)\b"#,
        #"\bkubectl [a-z]+"#,
        #"\bsystemctl [a-z]+"#,
        #"\bterraform (?:init|plan|apply|destroy)\b"#,
        #"\bpython3? (?:-[a-zA-Z]|[\w./-]+\.py\b)"#,
        #"\bnode [\w./-]+\.m?js\b"#,
        #"\bsudo [a-z]\w*"#,
        #"\bssh (?:-\w|[\w.-]+@[\w.-])"#,
        #"\b(?:curl|wget|grep|chmod|chown|rsync|scp|tar|sed|awk|xargs) -{1,2}[a-zA-Z]"#,
        #"\b(?:mkdir|rm|cp|mv|ls|du|df) -{1,2}[a-zA-Z]"#,
        #"\bchmod (?:[ugoa]*[+=-][rwxX]+|[0-7]{3,4})\b"#,
        #"\S \| (?:grep|awk|sed|sort|head|tail|wc|xargs|less|jq|tee|uniq|cut)\b"#,
        needing: [
            "git ", "npm ", "npx ", "pip", "install", "update", "upgrade", "remove", "docker",
            "kubectl ", "systemctl ", "terraform ", "python", "node ", "sudo ", "ssh ", " -",
            "chmod ", " | ",
        ])

    private static let ambiguousCommands =
        #"cargo|swift|go|make|cmake|gcc|g\+\+|clang|cat|find|head|tail|sort|cut|echo|export"#
        + #"|source|touch|kill|ps|zip|unzip|java|ruby|perl|open|diff|ln|cp|mv|ls|rm"#

    /// What follows a command but no word of prose: an option, a path, a pipe, a file.
    private static let shellArguments =
        #"-{1,2}[a-zA-Z]|[~.]{0,2}/[\w.]|\|\s*\w+|&&|>>?\s*[\w./]+|\$\w"#
        + #"|[\w*-]+\.(?:txt|py|js|ts|c|h|cpp|swift|rs|go|java|rb|sh|md|json|csv|log|gz|zip)\b"#

    /// Commands whose names are words of prose too: they count where a line begins.
    private static let commandLine = TextPattern(
        #"^\s*\$ [a-z./~]"#,
        #"^\s*[$>%]?\s*cargo (?:build|run|test|new|fmt|clippy|check)\s*$"#,
        #"^\s*[$>%]?\s*(?:swift|go|yarn) (?:build|run|test|fmt|vet|install|start|dev)\s*$"#,
        #"^\s*[$>%]?\s*(?:make|cd) (?!sure)[a-z./~][\w./~-]*\s*$"#,
        "^\\s*[$>%]?\\s*(?:\(ambiguousCommands))\\s+(?:\\S+\\s+){0,4}?(?:\(shellArguments))",
        #"^\s*(?:export\s+)?[A-Z][A-Z0-9_]{2,}=\S+\s*$"#,
        #"^#!\s*/"#)

    private static let patch = TextPattern(
        #"^@@ -\d+(?:,\d+)? \+\d+"#,
        #"^diff --git "#,
        #"^(?:\+\+\+|---) [ab]/"#,
        needing: ["@@ -", "diff --git ", "+++", "---"])

    private static let markup = TextPattern(
        #"</[a-zA-Z][\w:-]*>"#,
        #"<[a-zA-Z][\w:-]*(?:\s+[\w:@.-]+=(?:"[^"\n]*"|'[^'\n]*'|\{[^}\n]*\}))+\s*/?>"#,
        #"<(?:br|hr|img|input|meta|link)\b[^>\n]*/?>"#,
        #"<!DOCTYPE|<\?(?:xml|php)\b|<!--"#,
        #"[.#]?[\w-]+(?:[ ,>:.#]+[\w-]+)*\s*\{\s*[\w-]+\s*:\s*[^;{}\n]+;"#,
        needing: ["<", "{"])

    private static let query = TextPattern(
        #"\bSELECT\b[\s\S]{1,400}?\bFROM\s+["\w\[]"#,
        #"\bINSERT INTO\s+\w"#,
        #"\bUPDATE\s+\w+\s+SET\b"#,
        #"\bDELETE FROM\s+\w"#,
        #"\b(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|VIEW|DATABASE|TRIGGER)\b"#,
        needing: ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"])

    private static let queryInSmallLetters = TextPattern(
        #"^\s*select\s[\w.()*, ]+\sfrom\s+\w+\s*;"#,
        #"^\s*select\s[\w.()*, ]+\sfrom\s+\w+\s+where\s+[\w.]+\s*(?:=|<|>|like\b|in\b)"#,
        #"^\s*select\s[\w.()*, ]+\sfrom\s+\w+\s+(?:inner join|left join|group by|order by)\s"#,
        #"^\s*select\s+\*\s+from\s+\w+"#,
        ignoringCase: true)

    private static let definition = TextPattern(
        #"\b(?:func|fn|fun|function|def)\s+[\w$]+(?:<[^>\n]*>)?\("#,
        #"\bfunction\s*\([^)\n]*\)\s*\{"#,
        #"(?:\([^()\n]*\)|\b\w+)\s*=>\s*[\w{(\["'`]"#,
        #"\blambda\s+\w*(?:,\s*\w+)*\s*:"#,
        #"\b(?:class|struct|enum|interface|trait|impl|protocol|extension)\s+[A-Z][^.!?\n]*\{"#,
        #"^\s*class [A-Z]\w*(?:\([^)\n]*\))?:\s*$"#,
        #"^\s*(?:public|private|protected|static)\s+(?:static\s+)?[\w<>\[\]]+\s+\w+\s*[(=;]"#,
        #"^\s*#\s*(?:include\s*[<"]|define\s+[A-Za-z_]|ifdef\s|ifndef\s|pragma\s)"#,
        #"^\s*from\s+[\w.]+\s+import\s+[\w*(]"#,
        #"^\s*import\s+(?:[\w{}*, ]+\s+from\s+)?["']"#,
        #"^\s*import\s+(?:[\w.]+\s+as\s+\w+|\w+(?:\.\w+)+\s*;?)\s*$"#,
        #"^\s*(?:using|package|use)\s+[\w:.]+(?:::\{[^}\n]*\})?;\s*$"#,
        #"\b(?:int|void)\s+main\s*\("#,
        needing: ["(", "=", "{", ":", "#", ";", "import"])

    private static let expression = TextPattern(
        #"\b(?:let|var|const)\s+\w+(?:\s*:\s*[\w<>\[\]?]+)?\s*=\s*\S"#,
        #"^\s*(?:let|val|auto|final)\s+(?:mut\s+)?[\w:<>\[\]*&, ?]+\s*=\s*\S"#,
        #"^\s*(?:int|float|double|char|bool|string|String|long)\s+[\w\[\]*]+\s*=\s*\S"#,
        #"\b(?:console\.\w+|System\.out\.\w+|fmt\.\w+)\("#,
        #"\b(?:printf|println!?|print|len|range|require|input|puts)\("#,
        #"\b[A-Za-z_]\w*::[A-Za-z_<]"#,
        #"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\([^)\n]*\)"#,
        #"\b[a-z]\w*(?:_\w+|[A-Z]\w*)\([^)\n]*\)"#,
        #"\b\w+\(\)"#,
        #"\b\w+\[[^\]\n]+\]\s*[+*/-]?=[^=]"#,
        #"^\s*[\w.:>$-]+\(.*\)\s*;\s*$"#,
        #"^\s*[\w.\[\]*>$-]+(?:\s+[\w.*]+)?\s*[+*/|&-]?=\s*\S.*;\s*$"#,
        #"^\s*return\b[^.!?\n]*;\s*$"#,
        #"^\s*(?:\}\s*)?(?:if|for|while|else if|switch|catch|foreach)\s*\(.*\)\s*\{"#,
        #"\}\s*else\s*\{"#,
        #"^\s*except\s+[\w.(]*(?:Error|Exception)\b"#,
        #"\$[A-Za-z_]\w*(?:->\w+|\[[^\]\n]*\])*\s*=[^=]"#,
        #"\$\{[A-Za-z_]\w*\}"#,
        #"===|!=="#,
        needing: ["=", "(", ":", "[", ";", "{", "$", "except"])

    private static let formula = TextPattern(
        #"(?:^|\s)=[A-Z]{2,}\("#,
        #"\\(?:begin|end|documentclass|usepackage|frac|section|sqrt)\{"#,
        needing: ["=", "\\"])

    private static let path = TextPattern(
        #"(?:^|[\s"'(])(?:~|\.{1,2})?(?:/[\w.@+-]+){2,}"#,
        #"(?:^|[\s"'(])~/[\w.-]+"#,
        #"\b[A-Za-z]:\\[\w. -]+"#,
        needing: ["/", "\\"])

    private static let identifier = TextPattern(
        #"\b0x[0-9a-fA-F]{4,}\b"#,
        #"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{20,}\b"#,
        #"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"#,
        needing: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "-"])

    private static let logLine = TextPattern(
        #"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]{8,}Z?\]?\s+\S*\s*\[?(?:ERROR|WARN|INFO|DEBUG|FATAL)"#,
        #"^(?:\[(?:ERROR|WARN|INFO|DEBUG|TRACE|FATAL)\]|(?:DEBUG|TRACE|FATAL):)\s"#,
        needing: ["-", "[", ":"])

    private static let weakSigns = TextPattern(
        #"\{\s*$"#,
        #"^\s*\}[;,)]*\s*$"#,
        #"\s(?:==|!=|&&|\|\||\+=|-=|:=|->)\s"#,
        #"^\s*(?://|/\*|\*/)\s?\S"#,
        #"^\s*@\w+(?:\.\w+)*(?:\([^\n]*\))?\s*$"#,
        #"^\s*[a-z_][\w.]*\s*=\s*[\w"'\[({-][^\n]*$"#,
        #"^\s*import\s+\w+\s*$"#,
        #"^\s*for\s+\w+(?:,\s*\w+)*\s+in\s+[^.!?\n]*:\s*$"#,
        #"^\s*(?:if|while|elif|with)\s+[^.!?\n]*:\s*$"#,
        #"^\s*(?:try|else|finally|do|begin|end)\s*:?\s*$"#,
        #"^\s+return\s+\S+[^.!?\n]*$"#,
        #"^\[[\w.-]+\]\s*$"#,
        #"^(?:FROM|RUN|COPY|ENTRYPOINT|CMD|WORKDIR|ENV|EXPOSE)\s+\S"#,
        #"^\s*(?:ERROR|INFO|WARN(?:ING)?):\s"#,
        #"^\s*[a-z_][\w-]*:\s*(?:[|>]|true|false|\d+|[\w./:-]+\.[a-z]{2,4})?\s*$"#)
}
