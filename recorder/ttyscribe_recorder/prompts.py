# SPDX-License-Identifier: Apache-2.0
"""Which rows of a terminal ask for a secret: the list of words, in many languages, and the shape of a prompt.

No regular expressions: `re` is not loaded in the login path, and a list of words is what an operator can add to.
"""

_STEMS = (
    # English
    "password passwd passphrase pass-phrase passcode pass-code verification·code security·code authentication·code "
    "access·code access·key one-time one·time pass·phrase pass·code auth·code recovery·key recovery·code backup·code "
    "encryption·key decryption·key private·key secret api·key api-key apikey credential will·be·hidden not·be·shown "
    # German
    "passwort passwört kennwort geheimzahl sicherheitscode bestätigungscode einmalcode zugangscode passsatz "
    # French
    "mot·de·passe phrase·de·passe phrase·secrète code·de·vérification code·de·sécurité "
    # Spanish
    "contraseña frase·de·paso frase·clave código·de·verificación código·de·seguridad "
    # Portuguese
    "senha palavra-passe palavra·passe frase·secreta código·de·verificação código·de·segurança "
    # Italian
    "parola·d'ordine parola·chiave frase·segreta codice·di·verifica codice·di·sicurezza codice·segreto "
    # Dutch, Afrikaans
    "wachtwoord wachtzin toegangscode verificatiecode wagwoord "
    # Swedish, Norwegian, Danish, Icelandic, Finnish
    "lösenord lösenfras lösenmening passord passfrase adgangskode adgangssætning kodeord lykilorð salasana salalause "
    "tunnuslause tunnusluku verifieringskod bekreftelseskode "
    # Estonian, Latvian, Lithuanian
    "parool salafraas parole paroli slaptaž slaptafraz "
    # Polish, Czech, Slovak, Slovenian, Croatian, Serbian, Bosnian
    "hasł kod·weryfikacyjny hesl ověřovací·kód gesl lozink zaporka zaporku лозинк "
    # Russian, Ukrainian, Belarusian, Bulgarian, Macedonian
    "парол парольн ключевая·фраза кодовая·фраза код·подтверждения код·доступа пин-код гасл "
    # Hungarian, Romanian, Albanian, Greek, Turkish
    "jelszó jelszav jelmondat parolă parola fjalëkalim κωδικό κωδικο συνθηματικ φράση·πρόσβασης şifre doğrulama·kodu "
    # Catalan, Galician, Basque, Welsh, Irish, Esperanto
    "contrasenya contrasinal pasahitz cyfrinair pasfhocal focal·faire pasvort "
    # Arabic, Persian, Hebrew
    "كلمة·المرور كلمة·السر عبارة·السر گذرواژه رمز·عبور סיסמה סיסמא ססמה "
    # Hindi, Bengali, Tamil, Thai, Vietnamese, Indonesian
    "पासवर्ड कूटशब्द পাসওয়ার্ড கடவுச்சொல் รหัสผ่าน mật·khẩu kata·sandi "
    # Chinese, Japanese, Korean
    "密码 密碼 口令 密语 通行短语 通行碼 通行码 验证码 驗證碼 パスワード パスフレーズ 暗証番号 暗証 認証コード "
    "確認コード 암호 비밀번호 열쇠글 "
    "인증·코드 인증·번호"
)
_SHORT = "pin puk pwd otp totp hotp tan mfa 2fa cvv cvc token tokens clave sandi šifra шифра luks yubikey unlock hidden"
"""Words that are parts of others (shopping, instance): these count only by themselves."""

_ENDS = ":?>=\uff1a\uff1f\u061f"
_BLANKS = " \u00a0\0"
_BORDERS = "│┃║"
_FIELD = " _*•●·.…\0"
"""What an empty field may show at the right of the cursor."""
_LOOK = 240
"""So many characters left of the cursor are looked at."""


class Prompts:
    """Knows a prompt by its row. `more` are the operator's own texts, separated by commas."""

    __slots__ = ("_ends", "_short", "_stems")

    def __init__(self, more: str = "") -> None:
        own = tuple(text for piece in more.split(",") if (text := piece.strip().casefold()))
        self._stems = (*own, *(stem.replace("·", " ").casefold() for stem in _STEMS.split()))
        self._short = tuple(word.casefold() for word in _SHORT.split())
        self._ends = own

    def match(self, left: str, right: str) -> bool:
        """Whether a row asks for a secret; `left` and `right` are its texts before and behind the cursor.

        It holds one of the words before the cursor, ends in `:`, `?`, `>` or `=` there (or in a text of the operator's)
        and goes on with nothing but an empty field. Of panes side by side it is the cursor's that counts.
        """
        text = left[-_LOOK:].rstrip(_BLANKS)
        if not text:
            return False
        ended = text[-1] in _ENDS
        if not ended and not self._ends:
            return False
        for border in _BORDERS:
            text = text.rpartition(border)[2]
            right = right.partition(border)[0]
        if right.strip(_FIELD):
            return False
        text = text.replace("\0", "").casefold()
        if not ended:
            return text.endswith(self._ends)
        return any(stem in text for stem in self._stems) or any(_by_itself(word, text) for word in self._short)


def _by_itself(word: str, text: str) -> bool:
    """Whether the word stands in the text with no letter or digit at its sides."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(word, at + 1)
    return False
