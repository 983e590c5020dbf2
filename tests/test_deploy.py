"""What stands in Dockerfile, deploy/ and docs/operations.md is there: files, commands, settings, routes, metrics; and nginx behaves as it says."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_server import _serving, port, served  # noqa: F401

from recommender.cli import cli
from recommender.settings import Settings
from recommender.web import create_app

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
INSTALLED = "/opt/recommender/"


def _instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def _setting_of(variable: str) -> bool:
    """Tell whether an environment variable is one that settings are read from."""
    section, _, name = variable.removeprefix("RECOMMENDER_").lower().partition("__")
    if not name:
        return section in {*Settings.model_fields, "config"}
    return name in getattr(Settings.model_fields[section].annotation, "model_fields", ())


def _runs(arguments: list[str]) -> None:
    """See that the command line knows a command and its options."""
    assert CliRunner().invoke(cli, [*arguments, "--help"]).exit_code == 0, arguments


def test_the_image_is_made_of_what_is_there_and_the_context_holds() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [source for each in _instructions("COPY") if "--from" not in each for source in shlex.split(each)[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_the_image_has_no_torch_and_its_extras_are_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = [each.partition("=")[2].split(",") for each in _instructions("ARG") if each.startswith("EXTRAS")]
    wanted = [line for extra in extras for line in project["optional-dependencies"][extra]]
    assert not [line for line in wanted + project["dependencies"] if re.match("torch|sentence|transformers", line)]
    assert "onnx" in extras
    assert all(each.split()[0].startswith("python:3.1") for each in _instructions("FROM"))


def test_the_image_runs_as_nobody_special_and_its_commands_are_known() -> None:
    (user,) = _instructions("USER")
    assert user == "10001:10001"
    (entry,) = _instructions("ENTRYPOINT")
    (command,) = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert entry == '["recommender"]'
    _runs([*re.findall(r'"([^"]+)"', command)])
    assert "urlopen('http://127.0.0.1:8000/healthz'" in DOCKERFILE
    assert _instructions("EXPOSE") == ["8000"]
    assert _instructions("VOLUME") == ["/var/lib/recommender"]


@pytest.mark.parametrize("file", [ROOT / "Dockerfile", *UNITS], ids=lambda file: file.name)
def test_every_variable_that_is_set_is_a_setting(file: Path) -> None:
    named = re.findall(r"\bRECOMMENDER_[A-Z_]+(?==)", file.read_text(encoding="utf-8"))
    assert named or file.suffix == ".timer"
    assert [name for name in named if not _setting_of(name)] == []


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_starts_what_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".timer":
        assert file.with_suffix(".service").exists()
        return
    (started,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    program, *arguments = shlex.split(started)
    assert program in (f"{INSTALLED}.venv/bin/recommender", f"{INSTALLED}.venv/bin/python")
    if program.endswith("recommender"):
        _runs(arguments)
    else:
        assert (ROOT / arguments[0].removeprefix(INSTALLED)).is_file()
    (documentation,) = re.findall(r"^Documentation=file:(.+)$", text, re.MULTILINE)
    assert (ROOT / documentation.removeprefix(INSTALLED)).is_file()
    for hardening in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "PrivateTmp=yes"):
        assert hardening in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With their program put where this machine has one."""
    for file in UNITS:
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
    (tmp_path / "docs").mkdir()
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / file.name) for file in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_location_of_nginx_is_a_route(shared: Settings) -> None:
    rules = {rule.rule for rule in create_app(shared).url_map.iter_rules()}
    for route in re.findall(r"location = (\S+)", NGINX):
        assert route in rules
    (pattern,) = re.findall(r"location ~ (\S+) \{", NGINX)
    lists = {rule for rule in rules if re.search(pattern, rule)}
    assert lists == {
        "/v1/related",
        "/v1/related.html",
        "/v1/articles/<path:article_id>/related",
        "/v1/articles/<path:article_id>/related.html",
    }


@pytest.mark.parametrize(
    "file", [*sorted(DEPLOY.iterdir()), ROOT / "docs" / "operations.md"], ids=lambda file: file.name
)
def test_every_setting_that_is_named_is_one(file: Path) -> None:
    for section, name in re.findall(
        r"\b(serve|encoder|ranking|score|gate)\.([a-z_]+)\b", file.read_text(encoding="utf-8")
    ):
        if f"{section}.{name}" != "serve.html":
            assert _setting_of(f"RECOMMENDER_{section}__{name}".upper()), f"{section}.{name}"


def _metrics(page: str) -> set[str]:
    return {
        re.sub("_(total|count|bucket|sum|created)$", "", name) for name in re.findall(r"\brecommender_[a-z_]+", page)
    }


def test_operators_are_told_of_every_metric_and_alerts_look_at_those_that_are(shared: Settings) -> None:
    told = create_app(shared).test_client()
    told.get("/v1/articles/ferry-vote/related")
    exposed = _metrics("\n".join(re.findall("^# HELP (.*)$", told.get("/metrics").text, re.M)))
    assert len(exposed) > 10
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("| metric | means | watch |")[2].partition("\n\n")[0]
    assert _metrics(table) == exposed
    assert _metrics((DEPLOY / "alerts.yml").read_text(encoding="utf-8")) <= exposed


def test_every_command_of_the_operators_page_is_one() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    inline = re.findall(r"`recommender ([a-z]+)", page)
    assert inline
    assert {
        name for name in inline if name not in cli.commands and CliRunner().invoke(cli, [name, "--help"]).exit_code
    } == set()
    assert {"rebuild", "restore", "verify", "rollback", "prune", "withdraw", "tune"} <= set(inline)


class _Proxy:
    """nginx with the example, on free ports and in a folder of its own, before a service."""

    def __init__(self, folder: Path, service: int) -> None:
        self.folder = folder
        self.lists, self.site = _free(), _free()
        (folder / "site" / "news").mkdir(parents=True)
        (folder / "cache").mkdir()
        text = NGINX.replace("/var/cache/nginx/recommender", str(folder / "cache"))
        text = text.replace("/var/www/site", str(folder / "site")).replace("127.0.0.1:8000", f"127.0.0.1:{service}")
        text = text.replace("listen 8080", f"listen 127.0.0.1:{self.lists}")
        text = text.replace("listen 8081", f"listen 127.0.0.1:{self.site}")
        told = f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        told += "user root;\n" if os.geteuid() == 0 else ""  # its workers may not enter the folder otherwise
        parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        own = "".join(f"{part}_temp_path {folder}/{part};" for part in parts) + f"access_log {folder}/access.log;"
        self.file = folder / "nginx.conf"
        self.file.write_text(told + text.replace("http {\n", f"http {{\n{own}\n", 1), encoding="utf-8")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen(["nginx", "-c", str(self.file)], stderr=subprocess.DEVNULL)
        try:
            for _ in range(1_200):
                with contextlib.suppress(OSError):
                    self.ask("/")
                    break
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, Mapping[str, str]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.lists}{path}", headers=dict(headers or {}), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                response.read()
                return response.status, response.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers

    def page(self, name: str, html: str) -> str:
        (self.folder / "site" / "news" / name).write_text(html, encoding="utf-8")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.site}/news/{name}", timeout=30) as response:
            return str(response.read().decode())


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_nginx_keeps_lists_in_each_form_puts_them_into_pages_and_outlives_the_service(
    served: Settings,  # noqa: F811
    port: int,  # noqa: F811
    tmp_path: Path,
) -> None:
    proxy = _Proxy(tmp_path / "nginx", port)
    path = "/v1/articles/ferry-strike/related"
    include = '<p>story</p><!--# include virtual="/related/{}?k=2" --><p>end</p>'
    with proxy.running():
        with _serving(served, port, trusted_proxies=1):
            kept = [proxy.ask(path, {"Accept-Encoding": told})[1] for told in ("", "", "gzip", "deflate, gzip;q=1")]
            assert [headers["X-Cache"] for headers in kept] == ["MISS", "HIT", "MISS", "HIT"]
            assert kept[3]["Content-Encoding"] == "gzip"
            assert proxy.ask(path, {"If-None-Match": kept[0]["ETag"]})[0] == 304
            assert proxy.ask(path, {"X-Refresh": "1"})[1]["X-Cache"] == "BYPASS"
            assert proxy.ask("/v1/search?q=ferry")[0] == 200
            assert [proxy.ask(hidden)[0] for hidden in ("/metrics", "/v1/status", "/docs", "/")] == [404] * 4
            assert proxy.ask(path, method="DELETE")[0] == 403
            assert 'data-id="ferry-vote"' in proxy.page("story.html", include.format("ferry-strike"))
            assert proxy.page("unknown.html", include.format("nobody")) == "<p>story</p><p>end</p>"
            asked = [proxy.ask("/v1/search?q=ferry")[0] for _ in range(16)]
            assert {200, 429} == set(asked)
        assert proxy.ask(path)[1]["X-Cache"] in ("HIT", "STALE")
        assert 'data-id="ferry-vote"' in proxy.page("story.html", include.format("ferry-strike"))
        assert proxy.page("other.html", include.format("ferry-deal")) == "<p>story</p><p>end</p>"
