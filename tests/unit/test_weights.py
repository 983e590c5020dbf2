"""The model hub's side of ``locate``, with a hub that lies in a folder. ``test_encoder.py`` has packages and folders."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from recommender.encoder import ModelFiles, locate
from recommender.errors import EncoderError, EncoderMissingError

pytestmark = pytest.mark.model  # the hub's client comes with the model packages

HUB_ID = "desk/small-model"


class FakeHub:
    """Stands in for the hub's one function: knows what is in the cache, and remembers every call that may leave the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cached = False
        self.trouble: OSError | None = None
        self.downloads: list[tuple[str, list[str]]] = []

    def __call__(self, model: str, *, allow_patterns: list[str], local_files_only: bool = False) -> str:
        from huggingface_hub.errors import LocalEntryNotFoundError

        if local_files_only and not self.cached:
            raise LocalEntryNotFoundError("not in the cache")
        if not local_files_only:
            self.downloads.append((model, allow_patterns))
            if self.trouble:
                raise self.trouble
        return str(self.folder)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    folder = tmp_path / "cache" / "small-model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    fake = FakeHub(folder)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fake)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    return fake


def _files(hub: FakeHub) -> ModelFiles:
    return ModelFiles(f"{HUB_ID}@{hashlib.sha256(b'weights').hexdigest()[:12]}", hub.folder)


@pytest.mark.parametrize("allow_download", [False, True])
def test_a_model_in_the_cache_is_used_and_nothing_is_fetched(hub: FakeHub, allow_download: bool) -> None:
    hub.cached = True

    assert locate(HUB_ID, allow_download=allow_download) == _files(hub)
    assert hub.downloads == []


def test_a_model_that_is_not_in_the_cache_is_not_fetched_unasked(hub: FakeHub) -> None:
    with pytest.raises(EncoderMissingError, match=rf"^{HUB_ID} is not in the model hub's local cache, and nothing is "):
        locate(HUB_ID)

    assert hub.downloads == []


def test_offline_wins_over_the_permission_to_download(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(
        EncoderMissingError, match=r"nothing is downloaded unasked\. Set encoder\.allow_download = true"
    ):
        locate(HUB_ID, allow_download=True)

    assert hub.downloads == []


def test_a_download_that_is_allowed_is_logged_and_asks_for_no_file_that_can_run_code(
    hub: FakeHub, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert locate(HUB_ID, allow_download=True) == _files(hub)

    assert caplog.messages == [
        f"downloading {HUB_ID} from the model hub: this is the one thing that leaves this machine"
    ]
    assert hub.downloads == [(HUB_ID, ["*.json", "*.txt", "*.safetensors", "*.model"])]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (ConnectionError("no route to the hub\nand more that nobody reads"), r"no route to the hub"),
        (TimeoutError(), r"TimeoutError\(\)"),
    ],
)
def test_a_hub_that_cannot_be_reached_is_said_in_one_line(hub: FakeHub, trouble: OSError, said: str) -> None:
    hub.trouble = trouble

    with pytest.raises(EncoderMissingError, match=rf"^{HUB_ID} could not be downloaded: {said}$"):
        locate(HUB_ID, allow_download=True)


def test_a_cached_model_without_safetensors_is_refused(hub: FakeHub) -> None:
    hub.cached = True
    (hub.folder / "model.safetensors").rename(hub.folder / "pytorch_model.bin")

    with pytest.raises(EncoderError, match=r": holds no \.safetensors weights; other formats can run code when they a"):
        locate(HUB_ID)


def test_a_folder_of_that_name_wins_over_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    folder = tmp_path / HUB_ID
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")

    assert locate(HUB_ID).folder == folder
    assert hub.downloads == []


@pytest.mark.parametrize("name", ["./desk", "../desk/model", "desk/model/more", "https://hub.example/desk/model"])
def test_a_path_that_is_not_there_is_never_asked_of_the_hub(hub: FakeHub, name: str) -> None:
    with pytest.raises(
        EncoderMissingError, match=r": no folder of that name, and it is neither all-MiniLM-L6-v2, nor "
    ):
        locate(name, allow_download=True)

    assert hub.downloads == []
