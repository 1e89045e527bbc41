-- The case: one SQLite file is the one truth, and every export is made from it.
-- Times are seconds since 1970 UTC. Lists inside a cell are JSON.

-- What the case remembers: format, key of the digests, organisation, queries, thresholds.
CREATE TABLE IF NOT EXISTS meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each run of `scan`.
CREATE TABLE IF NOT EXISTS scan (
  id      INTEGER PRIMARY KEY,
  started INTEGER NOT NULL,
  ended   INTEGER,                -- NULL: it was stopped, and its reading goes on in the next
  version TEXT NOT NULL,
  command TEXT NOT NULL,          -- arguments as given, a JSON array; never a secret
  jobs    INTEGER NOT NULL
) STRICT;

-- One reading of one source. A source that is read again gets a new row; the old one is kept for history only.
CREATE TABLE IF NOT EXISTS reading (
  id         INTEGER PRIMARY KEY,
  mailbox    TEXT NOT NULL DEFAULT '',  -- owner; one scan is one mailbox
  source     TEXT NOT NULL,             -- as given
  absolute   TEXT NOT NULL,             -- where that was
  kind       TEXT NOT NULL,
  stamp      TEXT,                      -- paths, sizes, times: tells whether an unfinished reading can go on
  bytes      INTEGER,
  sha256     TEXT,
  started    INTEGER NOT NULL,
  ended      INTEGER,                   -- NULL: unfinished
  current    INTEGER NOT NULL DEFAULT 0,
  units      INTEGER NOT NULL DEFAULT 0,-- units kept so far, from the first
  border     INTEGER,                   -- border after the last of them, in a file that is cut by bytes
  bounds     TEXT NOT NULL,             -- --since, --until, --folder, --sent-only, --received, as JSON
  dropped    INTEGER NOT NULL DEFAULT 0,-- messages that --sent-only left out
  not_mail   INTEGER NOT NULL DEFAULT 0,
  limits     TEXT NOT NULL DEFAULT '[]',
  read       INTEGER NOT NULL DEFAULT 0,
  judged     INTEGER NOT NULL DEFAULT 0,
  received   INTEGER NOT NULL DEFAULT 0,
  duplicates INTEGER NOT NULL DEFAULT 0,
  unread     INTEGER NOT NULL DEFAULT 0,
  outside    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS folder (
  id         INTEGER PRIMARY KEY,
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  chain      TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('sent', 'drafts', 'other')),
  validity   INTEGER NOT NULL DEFAULT 0,  -- over IMAP: UIDVALIDITY
  upto       INTEGER NOT NULL DEFAULT 0,  -- over IMAP: the highest UID that is behind
  held       INTEGER,                     -- over IMAP: messages in it when it was read to its end; NULL: it was not
  dropped    INTEGER NOT NULL DEFAULT 0,  -- messages of it that --sent-only left out
  UNIQUE (reading_id, chain)
) STRICT;

-- Every message that was read, a few thousand to a row: keys, times, keyed digests of people and Message-IDs.
-- No names, no addresses, no text. The format of `lines` stands in lines.rs. Over IMAP, a message of which less was read
-- than is wanted has a row of its own, so that what is read later can stand in its place.
CREATE TABLE IF NOT EXISTS block (
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  folder_id  INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
  unit       INTEGER NOT NULL,
  messages   INTEGER NOT NULL,
  uid        INTEGER,             -- of the one message in it, where that is to be asked for again
  lines      BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS block_by_reading ON block (reading_id, unit);
CREATE INDEX IF NOT EXISTS block_by_folder ON block (folder_id);
CREATE INDEX IF NOT EXISTS block_lacking ON block (folder_id, uid) WHERE uid IS NOT NULL;

-- Addresses of authors while the organisation is not known yet; emptied when a scan ends.
CREATE TABLE IF NOT EXISTS author (
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  address    TEXT NOT NULL,
  sent       INTEGER NOT NULL,    -- messages in folders known as sent
  unstamped  INTEGER NOT NULL,    -- messages without a Received field
  messages   INTEGER NOT NULL,
  PRIMARY KEY (reading_id, address)
) STRICT, WITHOUT ROWID;

-- Digests of authors who are of the organisation.
CREATE TABLE IF NOT EXISTS insider (
  digest INTEGER PRIMARY KEY
) STRICT;

-- Each stored copy of a message that is, or may be, a finding. Copies of what turns out to be none are removed.
CREATE TABLE IF NOT EXISTS copy (
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  folder_id  INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
  position   TEXT NOT NULL,
  place      INTEGER NOT NULL,    -- orders positions of one folder
  key        TEXT NOT NULL,       -- SHA-256 key, hex
  draft      INTEGER NOT NULL,
  deleted    INTEGER NOT NULL,
  candidate  TEXT NOT NULL        -- JSON: what judgement needs of the message
) STRICT;
CREATE INDEX IF NOT EXISTS copy_by_key ON copy (key);
CREATE INDEX IF NOT EXISTS copy_by_reading ON copy (reading_id, folder_id);
CREATE INDEX IF NOT EXISTS copy_by_folder ON copy (folder_id);

-- What a message says of an earlier one (a recall, an apology, a bounce), or that it hid its list. No names, no text.
CREATE TABLE IF NOT EXISTS notice (
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  folder_id  INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
  position   TEXT NOT NULL,
  place      INTEGER NOT NULL,
  key        BLOB NOT NULL,       -- quick key
  told       TEXT NOT NULL        -- JSON
) STRICT;
CREATE INDEX IF NOT EXISTS notice_by_key ON notice (key);
CREATE INDEX IF NOT EXISTS notice_by_reading ON notice (reading_id, folder_id);
CREATE INDEX IF NOT EXISTS notice_by_folder ON notice (folder_id);

CREATE TABLE IF NOT EXISTS unread (
  reading_id INTEGER NOT NULL REFERENCES reading (id) ON DELETE CASCADE,
  folder     TEXT NOT NULL,
  position   TEXT NOT NULL,
  bytes      INTEGER,
  reason     TEXT NOT NULL,
  message    INTEGER NOT NULL     -- 1: one message; 0: a file or folder with an unknown number
) STRICT;

CREATE INDEX IF NOT EXISTS unread_by_reading ON unread (reading_id);

-- Messages that a person named as incidents.
CREATE TABLE IF NOT EXISTS incident (
  key        TEXT PRIMARY KEY,    -- SHA-256 key, hex
  message_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Each message that was judged an exposure, reported or not.
CREATE TABLE IF NOT EXISTS finding (
  exposure_id   TEXT PRIMARY KEY,
  incident_id   TEXT NOT NULL,
  reported      INTEGER NOT NULL, -- 0: below the threshold; it stays here and is counted
  confidence    INTEGER NOT NULL,
  severity      TEXT NOT NULL,
  groups        TEXT NOT NULL,    -- joined by ;
  why           TEXT NOT NULL,
  sent          INTEGER,
  author        TEXT NOT NULL,
  subject       TEXT NOT NULL,
  visible       INTEGER NOT NULL,
  exposed       INTEGER NOT NULL,
  audience      INTEGER NOT NULL,
  named_full    INTEGER NOT NULL,
  named_partial INTEGER NOT NULL,
  field         TEXT NOT NULL,
  aftermath     TEXT NOT NULL,
  repeat_of     TEXT NOT NULL,
  source        TEXT NOT NULL,
  folder        TEXT NOT NULL,
  position      TEXT NOT NULL,
  message_id    TEXT NOT NULL,
  sha256        TEXT NOT NULL,
  also_at       TEXT NOT NULL,
  circle_id     TEXT NOT NULL,    -- the same organisation writing to the same people
  step          TEXT NOT NULL,    -- what it is in its incident
  inside        INTEGER NOT NULL  -- 1: somebody of the organisation sent it, or nobody knows who is of it
) STRICT;

-- What happened after an exposure, and is none itself: an apology in Bcc, a bounce, an answer. One row for each exposure
-- that it concerns: some of them may be dismissed.
CREATE TABLE IF NOT EXISTS event (
  incident_id TEXT NOT NULL,
  exposure_id TEXT NOT NULL,
  at          INTEGER NOT NULL,
  what        TEXT NOT NULL,
  inside      INTEGER NOT NULL,   -- 1: somebody of the organisation did it
  people      INTEGER NOT NULL,   -- how many of the exposed it concerns
  key         BLOB NOT NULL,      -- quick key of the message; zero of bounces and answers, which are told once
  source      TEXT NOT NULL,
  folder      TEXT NOT NULL,
  position    TEXT NOT NULL
) STRICT;

-- Everybody of each reported exposure.
CREATE TABLE IF NOT EXISTS seen (
  exposure_id TEXT NOT NULL REFERENCES finding (exposure_id) ON DELETE CASCADE,
  identity    TEXT NOT NULL,      -- canonical address, or name: and the folded name
  person_id   TEXT NOT NULL,      -- empty where nobody is exposed; joined by ; where the mailbox is shared
  address     TEXT NOT NULL,
  name        TEXT NOT NULL,
  field       TEXT NOT NULL,
  author      INTEGER NOT NULL,
  visible     INTEGER NOT NULL,
  exposed     INTEGER NOT NULL,
  person      INTEGER NOT NULL,   -- 0: a role or a list
  relation    TEXT NOT NULL,
  kind        TEXT NOT NULL,
  named_by    TEXT NOT NULL,
  bounced     INTEGER NOT NULL,   -- 1: it did not arrive
  replied     INTEGER NOT NULL,
  replied_all INTEGER,            -- when first
  PRIMARY KEY (exposure_id, identity)
) STRICT, WITHOUT ROWID;

-- Which person an identity is (several, joined by ;, where it is shared); an id that stands here stays.
CREATE TABLE IF NOT EXISTS identity (
  identity  TEXT PRIMARY KEY,
  person_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Each address that is merged with another: a tree for each person. Made anew by each scan.
CREATE TABLE IF NOT EXISTS merged (
  address     TEXT PRIMARY KEY,
  person_id   TEXT NOT NULL,
  merged_with TEXT NOT NULL,
  kind        TEXT NOT NULL,        -- person::merge::Reason
  reason      TEXT NOT NULL         -- the same as a sentence
) STRICT, WITHOUT ROWID;

-- A merge that an officer undid: the two stay apart.
CREATE TABLE IF NOT EXISTS apart (
  address     TEXT NOT NULL,
  merged_with TEXT NOT NULL,
  kind        TEXT NOT NULL,
  reason      TEXT NOT NULL,
  decided_at  INTEGER NOT NULL,
  PRIMARY KEY (address, merged_with)
) STRICT, WITHOUT ROWID;

-- What an officer wrote about somebody who turned out to be another person, should the two be told apart again.
CREATE TABLE IF NOT EXISTS absorbed (
  person_id    TEXT PRIMARY KEY,
  review       TEXT NOT NULL,
  contact_by   TEXT NOT NULL,
  contacted_at TEXT NOT NULL,
  contacted_by TEXT NOT NULL,
  notes        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a roster says of an exposed person, and what an officer wrote into people.csv.
CREATE TABLE IF NOT EXISTS follow_up (
  person_id    TEXT PRIMARY KEY,
  name         TEXT NOT NULL DEFAULT '',  -- by roster, or of one of several at a shared address
  shared       INTEGER NOT NULL DEFAULT 0,
  review       TEXT NOT NULL DEFAULT '',
  contact_by   TEXT NOT NULL DEFAULT '',
  contacted_at TEXT NOT NULL DEFAULT '',
  contacted_by TEXT NOT NULL DEFAULT '',
  notes        TEXT NOT NULL DEFAULT '',
  roster_contact TEXT NOT NULL DEFAULT '',
  roster_notes   TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- A person's decision on an exposure; ids are made from content, so it survives every new scan.
CREATE TABLE IF NOT EXISTS decision (
  exposure_id TEXT PRIMARY KEY,
  review      TEXT NOT NULL CHECK (review IN ('confirmed', 'dismissed', 'look-again')),
  reason      TEXT NOT NULL DEFAULT '',
  decided_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- SHA-256 of each export as the case last wrote it: tells whether somebody edited it.
CREATE TABLE IF NOT EXISTS export (
  file   TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done to the case; only ever added to.
CREATE TABLE IF NOT EXISTS log (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  what   TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
