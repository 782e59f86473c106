# SPDX-License-Identifier: Apache-2.0
"""Which rows ask for a secret: prompts as real programs write them, in many languages, and rows that only look so."""

import pytest

from ttyscribe_recorder.prompts import Prompts

PROMPTS = [
    "Password: ", "[sudo] password for alice: ", "alice@host's password: ", "(alice@host) Password: ",
    "Enter passphrase for key '/home/alice/.ssh/id_ed25519': ", "Enter passphrase (empty for no passphrase): ",
    "Current password: ", "New password: ", "Retype new password: ", "Password for alice@REALM: ",
    "Enter password: ", "Password for user alice: ", "Please enter passphrase for disk sda1: ", "Passphrase: ",
    "Enter PEM pass phrase:", "Enter Export Password:", "enter aes-256-cbc encryption password:", "Enter PIN: ",
    "PIN for token 'alice'? ", "Verification code: ", "One-time password (OATH) for `alice': ", "OTP: ",
    "Password for 'https://alice@example.org': ", "Token (will be hidden): ", "Vault password: ", "BECOME password: ",
    "Enter your secret key> ", "Password=", "Master Password [hidden]: ", "API key: ",
    "[sudo] Passwort für alice: ", "Kennwort: ", "Geheimzahl: ", "[sudo] Mot de passe de alice : ", "Mot de passe : ",
    "Phrase de passe : ", "[sudo] contraseña para alice: ", "Contraseña: ", "[sudo] senha para alice: ", "Senha: ",
    "Palavra-passe: ", "Parola d'ordine: ", "Wachtwoord: ", "Lösenord: ", "Passord: ", "Adgangskode: ", "Salasana: ",
    "Hasło: ", "[sudo] hasło użytkownika alice: ", "Heslo: ", "Jelszó: ", "Parolă: ", "Пароль: ",
    "[sudo] пароль для alice: ", "Парола: ", "Κωδικός: ", "Parola: ", "Şifre: ", "סיסמה: ", "كلمة المرور: ",
    "रामपासवर्ड: ", "รหัสผ่าน: ", "Mật khẩu: ", "Kata sandi: ", "密码\uff1a", "[sudo] alice 的密码\uff1a", "密碼: ",
    "口令\uff1a",
    "パスワード: ", "[sudo] alice のパスワード:", "パスフレーズ: ", "암호: ", "비밀번호: ", "PASSWORD: ",
    "Pin:", "2FA code: ",
]  # fmt: skip

OTHERS = [
    "", "$ ", "alice@host:~$ ", "root@host:/# ", ">>> ", "Login: ", "Username for 'https://example.org': ", ":",
    "--More--(50%)", "passwd", "passwd (END)", "Manual page passwd(1) line 1 (press h for help or q to quit)",
    "Password: hunter2", "password changed", "Shopping: ", "Instance: ", "Opinion? ", "Do you want to continue? [Y/n] ",
    "(reverse-i-search)`password': mysql --password", "mysql> ", "Spinning: ", "Name: ", "stop: ", "$ grep password f",
]  # fmt: skip


@pytest.mark.parametrize("row", PROMPTS)
def test_prompts_for_secrets(row: str) -> None:
    """With the cursor at the row's end, with or without its last blanks."""
    assert Prompts().match(row, "")
    assert Prompts().match(row.rstrip(), "  ")


@pytest.mark.parametrize("row", OTHERS)
def test_rows_that_are_none(row: str) -> None:
    """No word, or not the shape of a prompt."""
    assert not Prompts().match(row, "")


def test_what_stands_behind_the_cursor_counts() -> None:
    """An empty field may, text may not: that is an editor's row."""
    assert Prompts().match("Passphrase: ", "________ ")
    assert Prompts().match("Passphrase: ", "        │")
    assert not Prompts().match("password: ", "hunter2")


def test_of_panes_side_by_side_the_cursors_counts() -> None:
    """Its neighbours' texts neither hide a prompt nor make one."""
    assert Prompts().match("Password: ", "   │$ ls -l")
    assert Prompts().match("$ ls -l     │Password: ", "")
    assert not Prompts().match("Password:   │name: ", "")


def test_an_operator_can_add_texts() -> None:
    """Anywhere in a row that is shaped as a prompt, or at its end whatever that is."""
    prompts = Prompts("Losung, Sesam öffne dich ,,")
    assert prompts.match("Die LOSUNG bitte: ", "")
    assert prompts.match("sesam öffne dich", "")
    assert not prompts.match("Losung bitte", "")
    assert not prompts.match("$ ", "")
    assert prompts.match("Password: ", "")


@pytest.mark.parametrize("row", ["x" * 10_000 + "password: ", "password: " * 5000, "pin" * 5000 + ":", "│" * 9999])
def test_long_rows_take_no_time(row: str) -> None:
    """Only what stands near the cursor is looked at."""
    assert Prompts().match(row, " " * 10_000) in (True, False)
    assert not Prompts().match("password" + " " * 300 + ":", "")
