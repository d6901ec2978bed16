-- Facts: derived from the log, replaced whole by a newer version, removed by a row with `deleted` set.
-- Only the watermark is synced to disk by itself, after everything that was written before it.
-- An instant that has not come is 2299-12-31 ("never"), so that "known at a clock" is one comparison.

-- One logical message, outbound or inbound; retries are folded into their first attempt.
-- `home` is the hour of `cohort_at`, the send time (else the earliest event).
CREATE TABLE IF NOT EXISTS messages (
    home DateTime('UTC') CODEC(Delta, ZSTD(1)),
    hash UInt64 CODEC(NONE),
    source LowCardinality(String),
    id String CODEC(ZSTD(1)),
    outbound Bool,
    channel LowCardinality(String),
    author LowCardinality(String),
    purpose LowCardinality(String),
    contact String CODEC(ZSTD(1)),
    contact_hash UInt64 CODEC(LZ4),
    sender LowCardinality(String),
    campaign LowCardinality(String),
    template LowCardinality(String),
    variant LowCardinality(String),
    agent LowCardinality(String),
    team LowCardinality(String),
    carrier LowCardinality(String),
    country LowCardinality(String),
    error_code LowCardinality(String),
    reason LowCardinality(String),
    conversation String CODEC(ZSTD(1)),
    conversation_hash UInt64 CODEC(LZ4),
    attrs Map(LowCardinality(String), String),
    tracked Bool,
    test Bool,
    auto_reply Bool,
    opt_out LowCardinality(String),
    sent_known Bool,
    cohort_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    delivered_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    failed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    bounced_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    proven_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    opened_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    clicked_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    replied_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reacted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    opted_out_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    complained_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    converted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    engaged_before DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    clicks Nested (at DateTime64(3, 'UTC'), actor LowCardinality(String), reason LowCardinality(String), link LowCardinality(String)),
    costs Nested (at DateTime64(3, 'UTC'), amount Decimal(18, 6), currency LowCardinality(String)),
    text_hash UInt64 CODEC(LZ4),
    sentiment Nullable(Float32),
    wants_human Bool,
    not_understood Bool,
    version UInt64 CODEC(Delta, ZSTD(1)),
    deleted UInt8,
    INDEX by_hash hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_contact contact_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_conversation conversation_hash TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(home)
ORDER BY (home, hash);

-- One customer need inside a conversation, with its intervals, target checks and assignments as arrays.
-- A row holds for clocks in [valid_from, valid_until): a question about another clock folds it again.
CREATE TABLE IF NOT EXISTS episodes (
    home DateTime('UTC') CODEC(Delta, ZSTD(1)),
    conversation_hash UInt64 CODEC(NONE),
    source LowCardinality(String),
    conversation String CODEC(ZSTD(1)),
    opened_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    contact String CODEC(ZSTD(1)),
    contact_hash UInt64 CODEC(LZ4),
    channel LowCardinality(String),
    team LowCardinality(String),
    topics Array(LowCardinality(String)),
    attrs Map(LowCardinality(String), String),
    agent_initiated Bool,
    outcome LowCardinality(String),
    resolved_by LowCardinality(String),
    resolver LowCardinality(String),
    agents Array(LowCardinality(String)),
    last_agent LowCardinality(String),
    ended_at DateTime64(3, 'UTC'),
    resolved_at DateTime64(3, 'UTC'),
    resolve_event_at DateTime64(3, 'UTC'),
    human_replies UInt32,
    bot_replies UInt32,
    customer_messages UInt32,
    reopens UInt32,
    reopens_substantive UInt32,
    transfers UInt32,
    one_touch Bool,
    fcr LowCardinality(String),
    fcr_matures_at DateTime64(3, 'UTC'),
    is_repeat Bool,
    frustrated_at DateTime64(3, 'UTC'),
    quality Nullable(Float64),
    waiting_since DateTime64(3, 'UTC'),
    durations Nested (kind LowCardinality(String), started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC'),
        business_ms Int64, agent LowCardinality(String), team LowCardinality(String)),
    checks Nested (kind LowCardinality(String), started_at DateTime64(3, 'UTC'), due_at DateTime64(3, 'UTC'),
        ended_at DateTime64(3, 'UTC'), agent LowCardinality(String), team LowCardinality(String)),
    assigned Nested (agent LowCardinality(String), started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC')),
    waiting Nested (agent LowCardinality(String), started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC')),
    valid_from DateTime64(3, 'UTC'),
    valid_until DateTime64(3, 'UTC'),
    version UInt64 CODEC(Delta, ZSTD(1)),
    deleted UInt8,
    INDEX by_conversation conversation_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_contact contact_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_valid_from valid_from TYPE minmax GRANULARITY 1,
    INDEX by_valid_until valid_until TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(home)
ORDER BY (home, conversation_hash, opened_at);

CREATE TABLE IF NOT EXISTS surveys (
    home DateTime('UTC'),
    hash UInt64,
    source LowCardinality(String),
    id String,
    kind LowCardinality(String),
    sent_at DateTime64(3, 'UTC'),
    answered_at DateTime64(3, 'UTC'),
    score Nullable(Float64),
    scale_max Nullable(Float64),
    agent LowCardinality(String),
    team LowCardinality(String),
    channel LowCardinality(String),
    contact String,
    conversation String,
    conversation_hash UInt64,
    topics Array(LowCardinality(String)),
    attrs Map(LowCardinality(String), String),
    valid_from DateTime64(3, 'UTC'),
    valid_until DateTime64(3, 'UTC'),
    version UInt64,
    deleted UInt8
) ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(home)
ORDER BY (home, hash);

-- One agent's UTC day: the pieces of online time, whether active in them, and how many open episodes they held.
CREATE TABLE IF NOT EXISTS agent_days (
    day Date,
    agent LowCardinality(String),
    team LowCardinality(String),
    segments Nested (started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC'), active Bool, open_episodes UInt32),
    valid_from DateTime64(3, 'UTC'),
    valid_until DateTime64(3, 'UTC'),
    version UInt64,
    deleted UInt8
) ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYear(day)
ORDER BY (day, agent);

-- One conversion with its refunds and the messages that earned it; the shares of a split are exact amounts.
CREATE TABLE IF NOT EXISTS conversions (
    home DateTime('UTC'),
    hash UInt64,
    source LowCardinality(String),
    id String,
    at DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    contact String,
    contact_hash UInt64,
    attrs Map(LowCardinality(String), String),
    value Decimal(18, 6),
    currency LowCardinality(String),
    refunds Nested (at DateTime64(3, 'UTC'), amount Decimal(18, 6)),
    credits Nested (message_hash UInt64, message_at DateTime64(3, 'UTC'), message_home DateTime('UTC'), campaign LowCardinality(String),
        template LowCardinality(String), variant LowCardinality(String), channel LowCardinality(String),
        purpose LowCardinality(String), author LowCardinality(String), source LowCardinality(String),
        carrier LowCardinality(String), country LowCardinality(String), agent LowCardinality(String),
        team LowCardinality(String), touch LowCardinality(String), share Float64),
    version UInt64,
    deleted UInt8,
    INDEX by_contact contact_hash TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(home)
ORDER BY (home, hash);

-- Which contact an address belongs to: the contact_id of the earliest event that carries both.
CREATE TABLE IF NOT EXISTS contact_links (
    address_hash UInt64,
    contact_id String,
    at DateTime64(3, 'UTC'),
    event_id String,
    version UInt64,
    deleted UInt8
) ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY address_hash;

-- How far the facts have followed the log; written after them, so a crash between repeats work and loses none.
CREATE TABLE IF NOT EXISTS watermarks (
    name LowCardinality(String),
    seq UInt64,
    as_of DateTime64(3, 'UTC'),
    settings_version UInt64,
    version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
