import Foundation

/// Keys that name their provider: a prefix, and a tail of known alphabet and length.
///
/// Publishable keys and account names (`pk_live_…`, `AC…`) are no secrets. Tails may be longer than the
/// providers make them today, hardly shorter.
package enum ProviderKeyShapes {
    /// Characters of the shortest of them.
    package static let shortest = 20

    /// One line a provider or family.
    private static let shapes = [
        #"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"#,  // Amazon
        #"sk-(?:ant-|proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}"#,  // OpenAI and its kin
        #"AIza[A-Za-z0-9_-]{35}"#, #"GOCSPX-[A-Za-z0-9_-]{20,}"#,  // Google
        #"ya29\.[A-Za-z0-9_-]{20,}"#,
        #"gh[opsur]_[A-Za-z0-9]{30,}"#, #"github_pat_[A-Za-z0-9_]{40,}"#,  // GitHub
        #"gl[a-z]{2,6}-[A-Za-z0-9_-]{20,}"#,  // GitLab
        #"xox[abeoprs]-[A-Za-z0-9-]{20,}"#, #"xapp-[A-Za-z0-9-]{20,}"#,  // Slack
        #"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,}"#,
        #"https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d{15,}/[\w-]{40,}"#,
        #"[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"#,  // Discord
        #"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{20,}"#, #"whsec_[A-Za-z0-9+/=]{24,}"#,  // Stripe
        #"SK[0-9a-f]{32}"#,  // Twilio
        #"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}"#,  // SendGrid
        #"key-[0-9a-f]{32}"#, #"[0-9a-f]{32}-us\d{1,2}"#,  // Mailgun, Mailchimp
        #"npm_[A-Za-z0-9]{36}"#, #"pypi-[A-Za-z0-9_-]{50,}"#, #"rubygems_[0-9a-f]{48}"#,
        #"hf_[A-Za-z0-9]{30,}"#, #"r8_[A-Za-z0-9]{30,}"#,  // Hugging Face, Replicate
        #"gsk_[A-Za-z0-9]{40,}"#, #"xai-[A-Za-z0-9]{40,}"#, #"pplx-[A-Za-z0-9]{40,}"#,
        #"nvapi-[A-Za-z0-9_-]{40,}"#,
        #"do[opr]_v1_[0-9a-f]{64}"#,  // DigitalOcean
        #"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}"#,  // Shopify
        #"sq0[a-z]{3}-[A-Za-z0-9_-]{22,}"#, #"EAA[A-Za-z0-9_-]{40,}"#,  // Square, Meta
        #"\d{8,10}:A[A-Za-z0-9_-]{34}"#,  // Telegram
        #"dapi[0-9a-f]{32}"#, #"lin_api_[A-Za-z0-9]{32,}"#, #"fig[a-z]{1,2}_[A-Za-z0-9_-]{36,}"#,
        #"(?:ntn|secret)_[A-Za-z0-9]{40,}"#,  // Notion
        #"tskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{20,}"#,  // Tailscale
        #"AGE-SECRET-KEY-1[A-Z0-9]{50,}"#,
        #"hv[sbr]\.[A-Za-z0-9_-]{24,}"#, #"dp\.[a-z]{2,5}\.[A-Za-z0-9]{40,}"#,  // Vault, Doppler
        #"gl(?:sa|c)_[A-Za-z0-9_+/=]{32,}"#, #"NRAK-[A-Z0-9]{27}"#,  // Grafana, New Relic
        #"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"#,  // Airtable, Postman
        #"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"#,
        #"dckr_[a-z]{3}_[A-Za-z0-9_-]{27,}"#, #"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"#,
        #"pul-[0-9a-f]{40}"#, #"sbp_[0-9a-f]{40}"#, #"pscale_[a-z]+_[A-Za-z0-9_-]{32,}"#,
        #"ATATT3[A-Za-z0-9_=-]{100,}"#,  // Atlassian
    ]

    private static let known = SecretPattern(
        #"(?<![A-Za-z0-9_-])(?:"# + shapes.joined(separator: "|") + #")(?![A-Za-z0-9])"#)

    /// Providers that are not listed build their keys alike: a short prefix in lower case, then a
    /// long tail in which capitals, small letters and digits alternate.
    private static let alike = SecretPattern(
        #"(?<![A-Za-z0-9_/.=-])(?!pk_)[a-z]{2,8}[_-](?:[a-z0-9]{2,6}[_-])?"#
            + #"[A-Za-z0-9]{28,}(?![A-Za-z0-9/+=])"#)

    static func findings(in document: NSString) -> [SecretFinding] {
        known.findings(.apiKey, in: document) { !Placeholder.isPresent(in: $0) }
            + alike.findings(.apiKey, in: document) {
                SecretStrength($0).isThoroughlyMixed && !Placeholder.isPresent(in: $0)
            }
    }
}

/// Private keys in their armour. A copy that was cut off is one too.
package enum PrivateKeyShapes {
    private static let armour = SecretPattern(
        #"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"#
            + #"(?:(?:(?!-----)[\s\S]){0,20000}-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"#
            + #"|[A-Za-z0-9+/=\s\\:,-]{40,})"#)

    static func findings(in document: NSString) -> [SecretFinding] {
        armour.findings(.privateKey, in: document)
    }
}
