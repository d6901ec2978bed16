-- The append-only log: the only truth. Everything else can be derived from it again.
-- Hashes are xxh3-64 of (source, id) and the like, 0 where absent: eight bytes to look an entity up by, whatever
-- the length of the provider's ids. `seq` is the order of arrival and carries the watermark; no figure depends on it.
CREATE TABLE IF NOT EXISTS events (
    seq UInt64 CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    id String CODEC(ZSTD(1)),
    type LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id_hash UInt64 CODEC(NONE),
    message_hash UInt64 CODEC(LZ4),
    conversation_hash UInt64 CODEC(LZ4),
    contact_hash UInt64 CODEC(LZ4),
    address_hash UInt64 CODEC(LZ4),
    link_hash UInt64 CODEC(LZ4),
    body String CODEC(ZSTD(3)),
    INDEX by_id id_hash TYPE bloom_filter(0.005) GRANULARITY 1,
    INDEX by_message message_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_conversation conversation_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_contact contact_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_address address_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_seq seq TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (at, id_hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What was verified but could not be understood: kept raw with its reason, to be replayed after a fix.
CREATE TABLE IF NOT EXISTS rejects (
    id UUID,
    received_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    code LowCardinality(String),
    field String,
    message String,
    event_id String,
    body String CODEC(ZSTD(3)),
    replayed_at DateTime64(3, 'UTC') DEFAULT toDateTime64('2299-12-31 00:00:00', 3, 'UTC'),
    version UInt64
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(received_at)
ORDER BY (received_at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
