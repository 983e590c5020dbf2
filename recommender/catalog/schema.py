"""The tables of the catalog. A change here raises ``VERSION`` and adds a migration."""

VERSION = 2
APPLICATION_ID = 0x4E52_4543  # "NREC"

_LOOKUPS = (
    "CREATE INDEX articles_by_url ON articles(url_key)",
    "CREATE INDEX articles_by_title ON articles(title_key)",
    "CREATE INDEX links_by_target ON links(target_id)",
    "CREATE INDEX links_by_url ON links(url_key)",
    "CREATE INDEX links_by_title ON links(title_key)",
    # Where a headline and a link that may mean one nearly the same meet: text.headline_keys and text.link_keys.
    "CREATE TABLE headline_keys (key TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (key, id)) WITHOUT ROWID",
    "CREATE TABLE link_keys (key TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (key, id)) WITHOUT ROWID",
)
_CHANGES = (
    # The number of the last transaction that changed what is served of an article or stub: its content, or where its
    # links lead. An id that stands here and nowhere else was withdrawn.
    "CREATE TABLE changes (id TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX changes_by_number ON changes(number)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
)

STATEMENTS = (
    """
    CREATE TABLE articles (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        text TEXT NOT NULL,
        url TEXT,
        image_url TEXT,
        published_at INTEGER,           -- seconds since 1970, UTC
        modified_at INTEGER,
        language TEXT,
        section TEXT,
        tags TEXT NOT NULL,             -- JSON list
        authors TEXT NOT NULL,          -- JSON list
        kind TEXT NOT NULL,
        source TEXT NOT NULL,           -- where it was read last
        digest BLOB NOT NULL,           -- of everything above but source, and of its links
        url_key TEXT,
        title_key TEXT NOT NULL DEFAULT ''
    )
    """,
    """
    CREATE TABLE links (
        article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        title TEXT NOT NULL,
        url TEXT,
        target_id TEXT,                 -- an article, or a stub ("stub:…"); derived
        method TEXT,                    -- url, title, fuzzy, stub, self, repeat; derived
        url_key TEXT,
        title_key TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (article_id, position)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE encoders (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE embeddings (
        encoder INTEGER NOT NULL REFERENCES encoders(number),
        digest BLOB NOT NULL,           -- of the texts of one view
        vector BLOB NOT NULL,           -- float32, little endian, unit length
        PRIMARY KEY (encoder, digest)
    )
    """,
    *_LOOKUPS,
    *_CHANGES,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

FROM_1 = (
    "ALTER TABLE articles ADD COLUMN url_key TEXT",
    "ALTER TABLE articles ADD COLUMN title_key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE links ADD COLUMN url_key TEXT",
    "ALTER TABLE links ADD COLUMN title_key TEXT NOT NULL DEFAULT ''",
    *(statement for statement in _LOOKUPS if "links_by_target" not in statement),
    *_CHANGES,
    f"PRAGMA user_version = {VERSION}",
)
"""From version 1, which had no keys, words and changes; ``keys.fill`` makes what they hold."""
