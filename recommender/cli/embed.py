"""``embed``: the vectors of another encoder, made in the background."""

from __future__ import annotations

import contextlib

import click

from recommender import build, compose, processes
from recommender.catalog import Catalog
from recommender.cli.output import Bars, print_json, talk
from recommender.encoder import Encoder
from recommender.home import Home
from recommender.settings import Settings, with_flags


@click.command()
@click.option("--model", metavar="NAME", help="The encoder (default: encoder.model).")
@click.option("--prompt", help="Put before every text (default: encoder.prompt).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def embed(settings: Settings, model: str | None, prompt: str | None, as_json: bool) -> int:
    """Encode the archive with an encoder before it is used; nothing is published.

    It runs at low priority beside a service, ingests and rebuilds, and keeps none of them waiting. Interrupt it whenever
    you like: it goes on where it stopped. A rebuild whose settings name the encoder then has next to nothing to encode.
    """
    settings = with_flags(settings, {"encoder.model": model, "encoder.prompt": prompt})
    home = Home(settings.home)
    Catalog.require(home.catalog)  # before a lock makes a folder
    bars = Bars(quiet=as_json)
    try:
        with home.embedder(), home.storing():
            encoder = _opened(home, settings, quiet=as_json)
            processes.yield_to_others()
            with Catalog(home.catalog, write=True) as catalog:
                n_encoded = build.embed(catalog, encoder, settings, watch=bars)
                n_stored = catalog.counts()["embeddings"].get(encoder.name, 0)
    finally:
        bars.close()
    if as_json:
        print_json({"encoder": encoder.name, "n_texts_encoded": n_encoded, "n_vectors": n_stored})
        return 0
    click.echo(f"{n_encoded:,} texts were encoded, the others were known: {n_stored:,} vectors of {encoder.name}")
    talk(
        f"to use them, set encoder.model = {settings.encoder.model!r} and encoder.prompt = {settings.encoder.prompt!r} where you rebuild, "
        "and run: recommender rebuild"
    )
    return 0


def _opened(home: Home, settings: Settings, *, quiet: bool) -> Encoder:
    """Return the encoder; where it has to be exported first, no rebuild may do the same meanwhile."""
    with contextlib.ExitStack() as stack:
        if not compose.is_exported(home, settings.encoder):
            stack.enter_context(home.writer("an export of an encoder"))
        return compose.open_build_encoder(home, settings.encoder, tell=lambda line: None if quiet else talk(line))
