"""The tables of the catalog. A change here raises ``VERSION`` and adds a migration."""

VERSION = 1
APPLICATION_ID = 0x4E52_4543  # "NREC"

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
        digest BLOB NOT NULL            -- of everything above but source, and of its links
    )
    """,
    """
    CREATE TABLE links (
        article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        title TEXT NOT NULL,
        url TEXT,
        target_id TEXT,                 -- an article, or a stub ("stub:…"); derived at rebuild
        method TEXT,                    -- url, title, fuzzy, stub, self, repeat; derived at rebuild
        PRIMARY KEY (article_id, position)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX links_by_target ON links(target_id)",
    "CREATE TABLE encoders (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE embeddings (
        encoder INTEGER NOT NULL REFERENCES encoders(number),
        digest BLOB NOT NULL,           -- of the texts of one view
        vector BLOB NOT NULL,           -- float32, little endian, unit length
        PRIMARY KEY (encoder, digest)
    )
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
