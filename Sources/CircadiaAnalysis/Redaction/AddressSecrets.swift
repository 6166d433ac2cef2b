import Foundation

/// Passwords and tokens in addresses and connection strings.
package enum AddressSecrets {
    /// `scheme://user:password@host`.
    private static let userInformation = SecretPattern(
        #"\b[a-z][a-z0-9+.-]{1,24}://[^\s/@:"'<>]{0,200}:(?<secret>[^\s/@"'<>]{3,200})@[^\s@]"#,
        ignoringCase: true)

    /// `user:password@tcp(host:port)/name`, as Go's drivers want it.
    private static let dataSource = SecretPattern(
        #"(?<![\w/:.-])[\w.-]{1,64}:(?<secret>[^\s/@:"'<>]{4,200})@(?:tcp|tcp4|tcp6|unix)\("#)

    /// `?token=…`, `&X-Amz-Signature=…`.
    private static let query = SecretPattern(
        #"[?&;](?:[\w-]{0,40}(?:token|api[_-]?key|apikey|secret|signature)|key|sig|auth|code)"#
            + #"=(?<secret>[^&\s"'<>#]{16,})"#, ignoringCase: true)

    static func findings(in document: NSString) -> [SecretFinding] {
        func isPassword(_ value: String) -> Bool { !Placeholder.isPresent(in: value) }
        return userInformation.findings(.password, in: document, where: isPassword)
            + dataSource.findings(.password, in: document, where: isPassword)
            + query.findings(.token, in: document) {
                SecretStrength($0).isOpaque && !Placeholder.isPresent(in: $0)
            }
    }
}

/// What proves who is asking: headers, cookies, and the flags of programs that make them.
package enum HeaderSecrets {
    /// In every text that has one, in lower case, is one of these.
    package static let hints = ["auth", "bearer", "basic", "cookie", "-u", "--user", "-a", "eyj"]

    /// `Authorization: Bearer …`, in a header, a dictionary or a call.
    private static let authorization = SecretPattern(
        #"authorization["']?\s*[:=,]\s*[fb]?["'`]?(?:(?:bearer|basic|token|apikey|digest)\s+)?"#
            + #"(?<secret>[A-Za-z0-9._~+/-]{12,}=*)"#, ignoringCase: true)

    /// `Bearer …` alone.
    private static let bearer = SecretPattern(
        #"\b(?:bearer|basic)\s+(?<secret>[A-Za-z0-9._~+/-]{16,}=*)"#, ignoringCase: true)

    /// `Cookie: session=…`.
    private static let cookie = SecretPattern(
        #"cookie["']?\s*[:=].{0,200}?(?:sess\w{0,30}|sid|auth\w{0,30}|\w{0,30}token)=(?<secret>[^;\s"']{16,})"#,
        ignoringCase: true)

    /// `curl -u user:password`, `http --auth user:password`.
    private static let userFlag = SecretPattern(
        #"(?:^|\s)(?:-u|--user|--auth|-a)[ =]["']?[\w.@+-]{1,64}:(?<secret>[^\s"'$<{]{6,200})"#)

    static func findings(in document: NSString) -> [SecretFinding] {
        func isOpaque(_ value: String) -> Bool {
            SecretStrength(value).isOpaque && !Placeholder.isPresent(in: value)
        }
        return webToken.findings(.webToken, in: document)
            + authorization.findings(.token, in: document) { value in
                // The header's name vouches for it: what is no word is enough.
                !SecretStrength(value).isWords && !Placeholder.isPresent(in: value)
            }
            + bearer.findings(.token, in: document, where: isOpaque)
            + cookie.findings(.token, in: document, where: isOpaque)
            + userFlag.findings(.password, in: document) { !Placeholder.isPresent(in: $0) }
    }

    /// Three parts in base64, the first two of them JSON objects.
    private static let webToken = SecretPattern(
        #"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{16,}"#)
}
