#!/usr/bin/env python3
"""Writes the labelled cases that the detection of secrets is measured on.

Usage: write_secret_cases.py FOLDER        (FOLDER is Tests/CircadiaMemoryTests/Fixtures/Secrets)

Two files of lines `part <tab> kind <tab> text`: positive.tsv and negative.tsv. In a text

    «…»       is what must be found, and nothing else may be;
    ⟦b36⟧     is drawn when the test runs: 36 characters of a class, here letters and digits.

No whole key is ever written down, so nothing here looks like a leak to those who scan repositories.
`LabelledText.swift` knows the classes. `\\n` is a line break, `\\t` a tab.

`part` is `tuning` or `heldout`. It is drawn by the *template*, a value's shape or a sentence's, not by
the case, so that what is held out is not what was tuned on with other digits in it.
"""
import hashlib
import pathlib
import re
import sys

# MARK: Values

API_KEYS = """
AKIA⟦L16⟧ | ASIA⟦L16⟧ | sk-proj-⟦u74⟧T3BlbkFJ⟦u74⟧ | sk-⟦b20⟧T3BlbkFJ⟦b20⟧ | sk-⟦b48⟧
sk-ant-api03-⟦u93⟧AA | sk-or-v1-⟦h64⟧ | AIza⟦u35⟧ | ghp_⟦b36⟧ | gho_⟦b36⟧ | ghs_⟦b36⟧
github_pat_⟦b22⟧_⟦b59⟧ | glpat-⟦u20⟧ | xoxb-⟦d12⟧-⟦d13⟧-⟦b24⟧ | xoxp-⟦d12⟧-⟦d12⟧-⟦d13⟧-⟦h32⟧
xapp-1-A⟦A10⟧-⟦d13⟧-⟦h64⟧ | https://hooks.slack.com/services/T⟦A8⟧/B⟦A8⟧/⟦b24⟧
sk_live_⟦b24⟧ | sk_test_⟦b99⟧ | rk_live_⟦b24⟧ | whsec_⟦b32⟧ | SK⟦h32⟧ | SG.⟦u22⟧.⟦u43⟧ | key-⟦h32⟧
⟦h32⟧-us12 | npm_⟦b36⟧ | pypi-AgEIcHlwaS5vcmc⟦u70⟧ | hf_⟦m34⟧ | r8_⟦b37⟧ | dop_v1_⟦h64⟧
shpat_⟦h32⟧ | sq0atp-⟦u22⟧ | EAAA⟦u60⟧ | ⟦d10⟧:AA⟦u33⟧ | MTA⟦b21⟧.G⟦u5⟧.⟦u38⟧
https://discord.com/api/webhooks/⟦d18⟧/⟦u68⟧ | dapi⟦h32⟧ | lin_api_⟦b40⟧ | ntn_⟦b46⟧ | figd_⟦u40⟧
gsk_⟦b52⟧ | xai-⟦b80⟧ | pplx-⟦b48⟧ | tskey-auth-⟦b16⟧-⟦b32⟧ | GOCSPX-⟦u28⟧ | ya29.⟦u120⟧
AGE-SECRET-KEY-1⟦A58⟧ | hvs.⟦b90⟧ | dp.pt.⟦b43⟧ | glsa_⟦b32⟧_⟦h8⟧ | NRAK-⟦A27⟧ | pat⟦b14⟧.⟦h64⟧
PMAK-⟦h24⟧-⟦h34⟧ | dckr_pat_⟦u27⟧ | rubygems_⟦h48⟧ | ⟦b14⟧.atlasv1.⟦b67⟧ | pul-⟦h40⟧ | sbp_⟦h40⟧
pscale_tkn_⟦u43⟧ | ATATT3xFfGF0⟦u180⟧ | nvapi-⟦u64⟧ | cio⟦b32⟧ | rnd_⟦b32⟧ | phx_⟦b43⟧
"""

OPAQUE = "⟦b32⟧ | ⟦h40⟧ | ⟦h64⟧ | ⟦u43⟧ | ⟦s44⟧= | ⟦A20⟧ | ⟦h32⟧ | ⟦b24⟧ | ⟦s86⟧== | ⟦uuid⟧"

PASSWORDS = """
hunter2 | Tr0ub4dor&3 | correct-horse-battery-staple | S0nnenblume! | P@ssw0rd2024 | qwe123!@# | Zug_nach_Bern7
blue7Penguin | 9vK$2mQx | Lisboa#1974 | mi_gato_se_llama_4Luna | xX_dragon_99_Xx | Kaffee&Kuchen22 | ⟦p14⟧
⟦b12⟧ | ⟦p20⟧ | Summer2023! | l3tM3in_now | rivi3r@-Bl4u | T4ke.Th3.Tr4in | 0ldF4shioned | M0nday-M0rning
iloveyou2 | Rotkehlchen_88 | nebula*Fish3 | 4ward&Upward | Gr8tExpect8tions | bonjour2TOUS! | ⟦p11⟧ | pässwort!77
"""

# MARK: Sentences around a value

KEY_CONTEXTS = """
here is my key: «V»
«V»
export SERVICE_API_KEY=«V»
can you tell me why «V» gives a 401?
curl -H 'X-Api-Key: «V»' https://api.example.org/v1/things
{"model":"small","api_key":"«V»","temperature":0.2}
api_key: «V»
client = Client(api_key="«V»")
let client = Client(apiKey: "«V»", timeout: 30)
I pasted «V», then it asked for a second one.
Mein Schlüssel ist «V», funktioniert aber nicht mehr.
La clé est «V» et elle expire demain.
2026-03-01T10:22:31Z INFO auth using «V» for project 12
```bash\\nTOKEN="«V»"\\n./deploy.sh\\n```
please remember this for later: «V»
user: what is it?\\nme: «V»\\nuser: thanks
set({ token: '«V»' })
const KEY = `«V»`;
| service | credential |\\n|---|---|\\n| mail | «V» |
<add key="ServiceKey" value="«V»" />
old one (revoked): «V»
(«V»)
key="«V»";
I rotated the secret, the new one is «V».
os.environ["SERVICE_TOKEN"] = "«V»"
"""

OPAQUE_CONTEXTS = """
api_key = "«V»"
API_KEY=«V»
export AUTH_TOKEN=«V»
the api key is «V»
my secret token: «V»
client_secret: «V»
"clientSecret": "«V»",
aws_secret_access_key = «V»
{"access_token":"«V»","expires_in":3600}
let apiSecret = "«V»"
access token → «V»
SECRET_KEY_BASE=«V»
x-api-key: «V»
private const string AppSecret = "«V»";
refresh_token='«V»'
?api_key=«V»&format=json
ENCRYPTION_KEY: "«V»"
Der API-Schlüssel lautet «V»
webhook secret: «V»
signing_key => '«V»',
the token for staging is «V» and it lasts a week
DefaultEndpointsProtocol=https;AccountName=store;AccountKey=«V»;EndpointSuffix=core.windows.net
"""

PASSWORD_CONTEXTS = """
my password is «V»
the wifi password is «V»
password: «V»
Password: «V»
passwd = "«V»"
DB_PASSWORD=«V»
{"user":"anna","password":"«V»"}
user: anna / pass: «V»
login anna, password «V»
PGPASSWORD=«V» psql -h db.example.org
mysql -u root --password=«V»
let password = "«V»"
Passwort: «V»
mon mot de passe est «V»
la contraseña es «V»
pw: «V»
the password for the router is «V», it is on the sticker
passphrase: «V»
sshpass -p '«V»' ssh anna@host
conn = connect(host="db", user="anna", password="«V»")
spring.datasource.password=«V»
Server=db;Database=shop;User Id=anna;Password=«V»;
host=db user=anna password=«V» dbname=shop
<password>«V»</password>
my pin and password are 4 digits and «V»
"""

URLS = """
postgres://anna:«⟦b14⟧»@db.example.org:5432/shop
postgresql://app:«S0nnenblume!»@localhost/app
mysql://root:«⟦b10⟧»@127.0.0.1:3306/x
mongodb+srv://admin:«⟦b16⟧»@cluster0.ab1cd.mongodb.net/test?retryWrites=true
redis://:«⟦b20⟧»@cache.example.org:6379/0
amqp://guest:«rabbit7hole»@queue:5672//
https://anna:«⟦b12⟧»@git.example.org/anna/notes.git
https://x-access-token:«⟦b40⟧»@github.com/anna/notes.git
ftp://upload:«⟦b9⟧»@files.example.org/in
smtp://mailer%40example.org:«⟦b11⟧»@smtp.example.org:587
rediss://default:«⟦b22⟧»@eu1.cache.example.org:30099
mssql+pyodbc://sa:«⟦b10⟧»@sql:1433/shop
ldap://cn=admin:«⟦b10⟧»@ldap.example.org
anna:«⟦b12⟧»@tcp(db.example.org:3306)/shop?parseTime=true
jdbc:postgresql://db/shop?user=anna&password=«⟦b13⟧»
jdbc:sqlserver://db;user=sa;password=«⟦b13⟧»;encrypt=true
Driver={ODBC Driver 18};Server=db;UID=sa;PWD=«⟦b12⟧»;
https://api.example.org/v1/items?access_token=«⟦b32⟧»
https://example.org/reset?token=«⟦u43⟧»
wss://feed.example.org/ws?apikey=«⟦h32⟧»
https://store.blob.core.windows.net/c/f?sv=2022-11-02&sp=r&sig=«⟦b43⟧%3D»
https://bucket.s3.amazonaws.com/f?X-Amz-Expires=300&X-Amz-Signature=«⟦h64⟧»
"""

URL_CONTEXTS = """
V
DATABASE_URL=V
connect to V and list the tables
config: {"url": "V"}
git remote add origin V
it hangs on V, any idea?
"""

HEADERS = """
Authorization: Bearer «⟦u40⟧»
authorization: bearer «⟦b64⟧»
Authorization: Basic «⟦basic⟧»
Authorization: Token «⟦h40⟧»
Authorization: ApiKey «⟦s44⟧=»
Proxy-Authorization: Basic «⟦basic⟧»
"Authorization": "Bearer «⟦u52⟧»"
headers={"Authorization": f"Bearer «⟦b36⟧»"}
curl -H "Authorization: Bearer «⟦u86⟧»" https://api.example.org/me
curl -u anna:«⟦b14⟧» https://api.example.org/me
curl --user 'api:«⟦h32⟧»' https://mail.example.org/v3
http --auth anna:«⟦b11⟧» example.org
wget --header="Authorization: Basic «⟦basic⟧»" https://example.org/f
Cookie: sessionid=«⟦h32⟧»; theme=dark
Set-Cookie: session_token=«⟦u64⟧»; HttpOnly; Secure
X-Auth-Token: «⟦h64⟧»
PRIVATE-TOKEN: «⟦b20⟧»
_authToken=«⟦uuid⟧»
//registry.example.org/:_authToken=«⟦b36⟧»
machine api.example.org login anna password «⟦b16⟧»
«⟦jwt⟧»
Authorization: Bearer «⟦jwt⟧»
the id token I get is «⟦jwt⟧», which looks too long
localStorage.setItem("jwt", "«⟦jwt⟧»")
{"id_token":"«⟦jwt⟧»"}
access=«⟦jwt⟧»&state=4
"""

PRIVATE_KEYS = """
«⟦pem:RSA ⟧»
«⟦pem:EC ⟧»
«⟦pem:OPENSSH ⟧»
«⟦pem:⟧»
«⟦pem:ENCRYPTED ⟧»
«⟦pem:DSA ⟧»
«⟦pgp⟧»
"private_key": "«⟦pemline:⟧»"
my key file:\\n«⟦pem:RSA ⟧»\\nthat is all
cat > id_ed25519 <<EOF\\n«⟦pem:OPENSSH ⟧»\\nEOF
KEY = "«⟦pemline:EC ⟧»"
tls.key: |\\n  «⟦pemindent:⟧»
«⟦pemcut:RSA ⟧»
"""

NUMBERS = """
«⟦card:visa⟧»
«⟦card4:visa⟧»
«⟦card4:mastercard⟧»
«⟦card-:mastercard⟧»
«⟦card:amex⟧»
«⟦card4:amex⟧»
«⟦card4:discover⟧»
«⟦card:jcb⟧»
«⟦card4:diners⟧»
«⟦card4:unionpay⟧»
«⟦card4:mastercard2⟧»
«⟦iban:DE⟧»
«⟦iban4:DE⟧»
«⟦iban:FR⟧»
«⟦iban4:FR⟧»
«⟦iban4:GB⟧»
«⟦iban:NL⟧»
«⟦iban4:ES⟧»
«⟦iban4:CH⟧»
«⟦iban:AT⟧»
«⟦iban4:BE⟧»
«⟦iban4:IT⟧»
«⟦iban:PL⟧»
«⟦iban4:NO⟧»
"""

NUMBER_CONTEXTS = """
V
my number is V
please book it on V, valid until 09/28
Konto: V
pay to V by Friday
{"account":"V"}
it was V I think
Send 40 euros to V (Anna).
card V cvv 123
I typed V twice
"""

BANK = """
routing number «⟦aba⟧», account 000123456
ABA: «⟦aba⟧»
my bank's routing no. is «⟦aba⟧»
RTN «⟦aba⟧» for the wire transfer
CLABE «⟦clabe⟧»
mi CLABE interbancaria es «⟦clabe⟧»
transferencia a la cuenta «⟦ccc⟧»
CCC: «⟦ccc-⟧»
rekeningnummer «⟦bban:BE⟧»
mon RIB : «⟦rib⟧»
RIB «⟦rib ⟧»
"""

# MARK: What only looks like a secret

NEGATIVE_VALUES = """
⟦uuid⟧ | ⟦UUID⟧ | ⟦h40⟧ | ⟦h7⟧ | ⟦h64⟧ | ⟦h32⟧ | sha256:⟦h64⟧ | +49 30 ⟦d7⟧ | +1 (415) 555-01⟦d2⟧ | 0041 44 ⟦d3⟧ ⟦d2⟧ ⟦d2⟧
978-3-16-14⟦d4⟧-0 | ⟦isbn13⟧ | ⟦ean⟧ | 2026-03-01T10:22:31.⟦d6⟧Z | 17⟦d8⟧ | 17⟦d11⟧ | 17⟦d14⟧ | 1⟦d18⟧ | #⟦h6⟧ | 0x⟦h8⟧
1Z⟦A16⟧ | ⟦imei⟧ | ⟦badcard:visa⟧ | ⟦badcard4:mastercard⟧ | ⟦badcard-:visa⟧ | ⟦badiban:DE⟧ | ⟦badiban4:FR⟧ | ⟦badiban4:GB⟧
192.168.⟦d2⟧.17 | 2001:db8::⟦h4⟧:⟦h4⟧ | 00:1b:⟦h2⟧:⟦h2⟧:3c:9f | v2.14.⟦d2⟧-rc1 | 4.⟦d15⟧ | 52.⟦d6⟧, 13.⟦d6⟧
ORD-2026-⟦d6⟧ | INV⟦d8⟧ | PO ⟦d10⟧ | RE-⟦d4⟧-⟦d4⟧ | DHL ⟦d12⟧ | LH⟦d3⟧ | B0⟦A8⟧ | 10.1⟦d3⟧/j.cell.20⟦d2⟧.0⟦d1⟧.0⟦d2⟧
⟦d5⟧-⟦d4⟧ | ⟦L2⟧-⟦d5⟧ | ES6 | K8s | f_⟦h12⟧ | chunk-⟦h8⟧.js | main.⟦h8⟧.css | index-⟦b8⟧.js | W/"⟦h16⟧"
"""

NEGATIVE_CONTEXTS = """
V
the commit is V
order number V arrived broken
see https://example.org/items/V for more
id: V
{"id":"V","ok":true}
call me at V tonight
cache key V expired
request V took 31 ms
I read V yesterday and liked it
tracking: V
version V is out
primary key = V
git checkout V
the file is called V
const id = "V";
trace_id=V span_id=7
Bestellung V ist da
checksum V matches
row V, column 3
"""

NEGATIVE_LINES = r"""
password = get_password()
password = getpass.getpass("Password: ")
password = os.environ["DB_PASSWORD"]
password = os.getenv("DB_PASSWORD", "")
token = self.token
token = response.json()["access_token"]
api_key = config.api_key
apiKey: process.env.SERVICE_API_KEY,
api_key=os.environ.get("SERVICE_API_KEY")
const token = await fetchToken(user)
let token = tokenizer.nextToken()
secret = Secret.from_env("APP_SECRET")
password: String
var password: String = ""
func login(user: String, password: String) throws
def connect(host, user, password=None, token=None):
password = input("Your password? ")
String password = request.getParameter("password");
private String password;
<input type="password" name="password" placeholder="Enter your password">
password=$DB_PASSWORD
password=${DB_PASSWORD}
password: {{ vault_db_password }}
password: ${{ secrets.DB_PASSWORD }}
--password "$PASSWORD"
PASSWORD=<your-password>
API_KEY=YOUR_API_KEY
api_key = "YOUR_API_KEY_HERE"
api_key: your-api-key
OPENAI_API_KEY=sk-...
OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
export TOKEN=<token>
token: xxxxxxxxxxxxxxxxxxxxxxxxxxxx
password: ********
password: ••••••••
password: changeme
password: [redacted]
api key: [redacted: API key]
password=null
password: "",
"password": null,
"token": true
"password": "string",
"secret": "<secret>",
"api_key": "...",
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer ${TOKEN}
Authorization: Bearer YOUR_TOKEN
Authorization: Basic <credentials>
"Authorization": f"Bearer {token}"
"Authorization": "Bearer " + token
headers["Authorization"] = `Bearer ${accessToken}`
https://user:password@example.com
postgres://user:password@localhost/db
postgres://USER:PASSWORD@HOST:5432/DB
postgres://${USER}:${PASS}@localhost/db
mysql://<user>:<password>@host/db
redis://localhost:6379/0
https://example.org:8443/path@home
mailto:anna@example.org
ssh://git@example.org:22/anna/notes.git
git@github.com:anna/notes.git
http://localhost:3000/@anna/profile
the password is wrong again
my password is too long for this site
the password is required
the password must be at least 12 characters
is the password stored as a hash?
the password is base64-encoded, not encrypted
the password is hashed with SHA-256
the token is an OAuth2-style bearer
The token is expired, so log in again.
the secret is to rest the dough overnight
the secret ingredient is cardamom
the key is under the mat
the key is C-sharp minor
the key point: sleep more
the key takeaway is that practice helps
press any key to continue
the primary key: user_id
foreign key (user_id) references users(id)
public key infrastructure explained
a token is about four characters
tokens: 128256
max_tokens=4096
max_new_tokens: 512,
token_count = 8192
pad_token_id=128004
eos_token: "<|im_end|>"
bos_token = "<|begin_of_text|>"
"pad_token": "[PAD]"
tokenizer = AutoTokenizer.from_pretrained("gpt2")
sort key=lambda item: item[1]
sorted(rows, key=itemgetter("name"))
for key, value in table.items():
map[key] = value
dict(key="value")
key = "user:1042:profile"
localStorage.getItem("settings-v2")
cache_key = f"user:{user_id}:v3"
key: ctrl+shift+p
"key": "Enter"
keyCode: 13
<Translate key="checkout.payment.title" />
i18n key: settings.profile.password.label
"forgot_password": "Forgot your password?"
"password_hint": "At least 8 characters"
"password": "Passwort",
password_field = driver.find_element(By.ID, "password")
passwordResetUrl = "/account/reset-password"
password_policy: strict-2024
PasswordHasher(iterations=600000)
passwordLength = 16
password_min_length: 12
password_strength=3
pass: 412, fail: 3
tests pass: 1204
pass the salt, please
boarding pass: gate B22
mountain pass 2478 m
ski pass 2 days 89 EUR
bypass: enabled
compass: north-west
secretary: Ms. Albrecht
secret santa list: Anna, Ben, Cleo
secret_santa_2025.xlsx
author: anna
authority: city-council-2
auth: oauth2
auth_type=basic
auth_method: scram-sha-256
token_type: bearer
token_endpoint: https://login.example.org/oauth2/token
"tokenUrl": "/connect/token",
secretName: my-app-tls
secretKeyRef: {name: db, key: password}
valueFrom: secretKeyRef
kubectl create secret generic db --from-literal=password=$PASS
aws secretsmanager get-secret-value --secret-id prod/db
vault kv get secret/data/prod/db
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A⟦s40⟧\n-----END PUBLIC KEY-----
-----BEGIN CERTIFICATE-----\nMIID⟦s60⟧\n⟦s64⟧\n-----END CERTIFICATE-----
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ⟦s120⟧ anna@laptop
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI⟦s43⟧ anna@laptop
SHA256:⟦s43⟧ anna@laptop (ED25519)
integrity="sha384-⟦s64⟧"
"integrity": "sha512-⟦s86⟧==",
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA⟦s120⟧
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP⟦s60⟧">
src: url(data:font/woff2;base64,d09GMgABAAAAA⟦s100⟧)
the base64 of it is aGVsbG8gd29ybGQ=
eyJub3QiOiAiYSBqd3QifQ
eyJhIjoxfQ== decodes to {"a":1}
lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor
the quick brown fox jumps over the lazy dog
https://www.youtube.com/watch?v=⟦u11⟧
https://docs.google.com/document/d/⟦u44⟧/edit
https://maps.app.goo.gl/⟦b17⟧
https://github.com/anna/notes/commit/⟦h40⟧
https://example.org/p/the-key-to-a-good-password-2024
https://example.org/a?utm_source=mail&utm_id=⟦d10⟧
https://www.amazon.de/dp/B0⟦A8⟧/ref=sr_1_3?keywords=tea
https://open.spotify.com/track/⟦b22⟧
https://arxiv.org/abs/24⟦d2⟧.⟦d5⟧
https://t.me/joinchat/⟦u16⟧
spotify:track:⟦b22⟧
magnet:?xt=urn:btih:⟦h40⟧
bc1q⟦a38⟧
0x⟦h40⟧
ipfs://Qm⟦b44⟧
docker pull registry.example.org/app@sha256:⟦h64⟧
"etag": "⟦h32⟧"
ETag: "⟦h32⟧-12"
Content-MD5: ⟦s22⟧==
X-Request-Id: ⟦uuid⟧
X-Amz-Cf-Id: ⟦u54⟧==
traceparent: 00-⟦h32⟧-⟦h16⟧-01
Set-Cookie: theme=dark; Path=/
Cookie: lang=de; consent=yes
if-none-match: W/"⟦h20⟧"
nonce="⟦b16⟧"
Message-ID: <⟦b24⟧@mail.example.org>
boundary=----WebKitFormBoundary⟦b16⟧
arn:aws:iam::⟦d12⟧:role/deploy
arn:aws:s3:::my-bucket/path
aws account ⟦d12⟧
vpc-0⟦h16⟧
i-0⟦h16⟧
ami-0⟦h16⟧
projects/123/secrets/db/versions/4
AC⟦h32⟧
pk_live_⟦b24⟧
pk_test_⟦b24⟧
client_id=⟦d12⟧-⟦a32⟧.apps.googleusercontent.com
clientId: ⟦uuid⟧
tenant_id: ⟦uuid⟧
team_id = ⟦A10⟧
UA-⟦d8⟧-1
G-⟦A10⟧
GTM-⟦A7⟧
site key: ⟦u40⟧
public_key: ⟦s43⟧=
public key = ⟦h64⟧
pubkey: npub1⟦a58⟧
fingerprint: ⟦h40⟧
key fingerprint is ⟦h2⟧:⟦h2⟧:⟦h2⟧:⟦h2⟧:⟦h2⟧:⟦h2⟧
idempotency_key: ⟦uuid⟧
Idempotency-Key: ⟦uuid⟧
partition key: ⟦h16⟧
cache-key: node-modules-⟦h64⟧
key: ${{ runner.os }}-spm-${{ hashFiles('Package.resolved') }}
session: 2026-11-24T09:00:00Z-a1b2
session_id: ⟦uuid⟧
user_id=⟦h24⟧
_id: ObjectId("⟦h24⟧")
objectId: ⟦b10⟧
serial number: ⟦A12⟧
Seriennummer ⟦A4⟧-⟦A4⟧-⟦A4⟧
license plate B-⟦L2⟧ ⟦d4⟧
VIN WVWZZZ1JZXW⟦d6⟧
flight LH⟦d4⟧ seat 22F
gate code is on the door
the door code: ask Anna
zip code: 94107
dress code: smart casual
exit code: 137
error code 0x80070005
code: ERR_MODULE_NOT_FOUND
promo code SUMMER25
Rabattcode HERBST2026
booking reference: ⟦A6⟧
PNR ⟦A6⟧
ticket ⟦L3⟧-⟦d4⟧
case number ⟦d8⟧
customer number ⟦d10⟧
Kundennummer: ⟦d9⟧
Steuernummer ⟦d2⟧/⟦d3⟧/⟦d5⟧
patient no. ⟦d7⟧
ISBN ⟦isbn13⟧
ISSN 2049-⟦d3⟧X
EAN: ⟦ean⟧
IMEI ⟦imei⟧
SIM ⟦iccid⟧
DOI 10.⟦d4⟧/⟦a8⟧.⟦d4⟧
phone: +44 20 7946 0⟦d3⟧
fax 030 ⟦d8⟧
tel. (030) ⟦d4⟧-⟦d4⟧
Mobil 0171 ⟦d7⟧
numbers: 4, 8, 15, 16, 23, 42
pi is 3.14159265358979323846264338327950288
e = 2.718281828459045235360287471352
1000000000000000
1234567890123456
0000 0000 0000 0000
1111-2222-3333-4445
9999 9999 9999 9999
4000 5000 6000 7001
5 1 0 5 1 0 5 1
1,234,567,890,123
12 345 678 901 234
routing number ⟦badaba⟧
ABA ⟦badaba⟧
CLABE ⟦badclabe⟧
RIB ⟦badrib⟧
rekeningnummer ⟦badbban:BE⟧
IBAN: DE00 0000 0000 0000 0000 00
IBAN DE12 3456 7890 1234 5678 91
GB00 TEST 0000 0000 0000 00
SWIFT/BIC: DEUTDEFF500
BIC COBADEFFXXX
USD 4,000.00 on 12/24
account balance: 4012.88
account ending in 4242
card ending 1881
amount: 4111.11
(415) 555-2671
2026-11-24 09:00:00
1732438800
20261124090000123
10.0.0.1:8080
fe80::1ff:fe23:4567:890a
AA:BB:CC:DD:EE:FF
WPA2-PSK, channel 11
ssid: Kaffeehaus-Gast
swift build -c release --product circadia
git log --oneline -n 5
npm_config_registry=https://registry.example.org
npm_lifecycle_event=build
hf_hub_download("gpt2", "config.json")
from hf_transfer import download
sk_buff is a kernel structure
sk-learn pipelines
ghp_ is the prefix of such tokens
tokens that begin with xoxb- are for bots
AKIA is how such ids begin
AIza is the usual prefix
glpat- tokens expire after a year
keys begin with sk-ant-
AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
the pwd is /home/anna/projects
pwd: /var/www/html
PWD=/home/anna/work
cd $PWD/build2
OLDPWD=/tmp/x1
passwd: user unknown
/etc/passwd
cat ~/.ssh/id_ed25519.pub
password-protected zip file
password manager: which one is best in 2026?
password reset at 09:15
Passwort vergessen? Klicke hier.
Das Passwort ist leider falsch.
Das Passwort ist abgelaufen
mot de passe oublié
le mot de passe est incorrect
la contraseña es incorrecta
contraseña: obligatoria
wachtwoord vergeten
credentials: include
credentials = Credentials.load()
credential_source: environment
secret: use a longer one
the secret token in the story was a coin
secrets: 3 found, 0 leaked
secret_key_base: <%= ENV["SECRET_KEY_BASE"] %>
encryption_key = derive_key(password, salt)
encryption: AES-256-GCM
signing_key = load_pem_private_key(data, password=None)
salt = os.urandom(16)
iv = ⟦h32⟧
private_key_path: ~/.ssh/id_rsa
private_key = "path/to/key.pem"
ssl_key_file=/etc/ssl/private/server.key
api_key_header = "X-Api-Key"
API_KEY_NAME = "service-key-2"
apikey_prefix: sk_
has_api_key=True
use_auth_token=True
access_token_expires_in: 3600
refresh_token_rotation: enabled
csrf_token: {{ csrf_token() }}
<input type="hidden" name="csrf_token" value="">
token = tokens[index + 1]
if token == "]": break
token: Token<'a>
token := <-tokens
type Token = string | number
secret: &'static str
password !== confirmPassword
password == hashed_password
password.length >= 12
if (!password) return
assert password is not None
user.password = hash(user.password)
user.password_digest
params.require(:user).permit(:email, :password)
password: bcrypt.hashSync(pw, 10),
password: z.string().min(8),
password: { type: String, required: true },
password = serializers.CharField(write_only=True)
password = models.CharField(max_length=128)
password varchar(255) not null
ALTER USER anna WITH PASSWORD :'pw';
GRANT ALL ON db.* TO 'anna'@'%' IDENTIFIED BY ?;
SELECT password FROM users WHERE id = 42
UPDATE users SET token = NULL
-p 8080:80
docker run -p 5432:5432 postgres
ssh -p 2222 anna@host
curl -u $USER:$PASS https://example.org
curl -u user https://example.org
curl -H "Authorization: Bearer $(cat token.txt)" https://example.org
bearer of good news
Bearer Street 21, Bristol
basic training starts on Monday
Basic authentication is fine here
token budget: 2000
Token ring networks were slow
my favourite token is the iron one
"tokens_per_second": 182.4
apiKeyCount: 12
keys: 1204, values: 1204
keyboard: QWERTZ-DE
keynote: 2026-09-12T10:00
monkey: capuchin42
turkey: 4kg
donkey=hotey2
hotkey: F12
passenger: 12A
passage: 1042-1077
passport: please bring it
classpath=/opt/app/lib2.jar
compassionate2024
pinned: 3
pin: GPIO17
spinning: 45 min
shipping pin code area 560034
opinion: mixed2
"""

EXTRA_CONTEXTS = """
V
Question: V
in the log I see `V`
why does this not work?\\nV\\nthanks
"""


def split(block, separator="\n"):
    return [part.strip("\n") if separator == "\n" else part.strip()
            for part in block.replace("\n", separator).split(separator) if part.strip()]


def part_of(template):
    """Two of five templates are held out."""
    digest = hashlib.sha256(("circadia " + template).encode()).digest()
    return "heldout" if digest[0] % 5 < 2 else "tuning"


def placed(value, context):
    """The context with the value in the place of its V."""
    return re.sub(r"\bV\b", lambda _: value, context, count=1)


def chosen(items, count, salt):
    """`count` of `items`, always the same ones for the same salt."""
    return sorted(items, key=lambda item: hashlib.sha256((salt + item).encode()).digest())[:count]


def main(folder):
    positive, negative = [], []

    def add(kind, values, contexts, per_value):
        for value in values:
            # A value's template decides the part; its contexts come from the same part.
            part = part_of(value)
            fitting = [context for context in contexts if part_of(context) == part]
            for context in chosen(fitting, per_value, value):
                positive.append((part, kind, placed(value, context)))

    add("apiKey", split(API_KEYS, "|"), split(KEY_CONTEXTS), 3)
    add("token", split(OPAQUE, "|"), split(OPAQUE_CONTEXTS), 6)
    add("password", split(PASSWORDS, "|"), split(PASSWORD_CONTEXTS), 4)
    add("url", split(URLS), split(URL_CONTEXTS), 2)
    add("number", split(NUMBERS), split(NUMBER_CONTEXTS), 3)
    for kind, block, copies in [("header", HEADERS, 1), ("privateKey", PRIVATE_KEYS, 1),
                                ("number", BANK, 2)]:
        for line in split(block):
            positive += [(part_of(line), kind, line)] * copies

    for value in split(NEGATIVE_VALUES, "|"):
        part = part_of(value)
        fitting = [context for context in split(NEGATIVE_CONTEXTS) if part_of(context) == part]
        for context in chosen(fitting, 7, value):
            negative.append((part, "value", placed(value, context)))
    for line in split(NEGATIVE_LINES):
        part = part_of(line)
        for context in chosen(split(EXTRA_CONTEXTS), 2, line):
            negative.append((part, "line", placed(line, context)))

    for name, rows in [("positive", positive), ("negative", negative)]:
        text = "".join("\t".join(row) + "\n" for row in rows)
        (pathlib.Path(folder) / (name + ".tsv")).write_text(text, encoding="utf-8")
        parts = [sum(row[0] == part for row in rows) for part in ("tuning", "heldout")]
        print(f"{name}: {len(rows)} cases, {parts[0]} for tuning, {parts[1]} held out")


if __name__ == "__main__":
    main(sys.argv[1])
