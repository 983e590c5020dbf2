"""The tables of the catalog. A change here raises ``VERSION`` and adds a migration."""

VERSION = 3
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

_DESK = (
    # What the desk did, a line each, never removed; what is in force are the rules that nothing ended.
    """
    CREATE TABLE desk_log (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,            -- seconds since 1970, UTC
        who TEXT NOT NULL,
        kind TEXT NOT NULL,             -- pin, block, boost; of an undo that of what it took back
        undoes INTEGER,                 -- the line that an undo takes back
        article TEXT,
        under TEXT,                     -- the story under which a rule holds, NULL for everywhere
        section TEXT,
        factor REAL NOT NULL DEFAULT 1,
        until INTEGER,                  -- seconds since 1970, UTC
        note TEXT NOT NULL DEFAULT '',
        top INTEGER NOT NULL DEFAULT 0, -- a pin above those that were there
        ended_by INTEGER                -- the line that took it back or its place; its own number where its time was over
    )
    """,
    "CREATE INDEX desk_in_force ON desk_log(number) WHERE ended_by IS NULL AND undoes IS NULL",
    "CREATE INDEX desk_ended_by ON desk_log(ended_by)",
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
    *_DESK,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

_TO_2 = (
    "ALTER TABLE articles ADD COLUMN url_key TEXT",
    "ALTER TABLE articles ADD COLUMN title_key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE links ADD COLUMN url_key TEXT",
    "ALTER TABLE links ADD COLUMN title_key TEXT NOT NULL DEFAULT ''",
    *(statement for statement in _LOOKUPS if "links_by_target" not in statement),
    *_CHANGES,
)
_TO_3 = (*_DESK, f"PRAGMA user_version = {VERSION}")

FROM = {1: (*_TO_2, *_TO_3), 2: _TO_3}
"""What brings a catalog of an earlier version up to date. Version 1 had no keys, words and changes; ``keys.fill`` makes what they
hold. Version 2 had no desk; it may be read as it is.
"""
