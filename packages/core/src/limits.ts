/**
 * Every bound of every queue, buffer and retry, in one place. Units last.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

/** Content-defined chunking (restic design, "Chunking"): smallest, largest and window size. */
export const CHUNK_MIN_BYTES: number = 512 * KiB;
export const CHUNK_MAX_BYTES: number = 8 * MiB;
export const CHUNK_WINDOW_BYTES = 64;

/** A pack closes once it holds this much; between these bounds a user may choose. */
export const PACK_SIZE_DEFAULT_BYTES: number = 16 * MiB;
export const PACK_SIZE_MIN_BYTES: number = 4 * MiB;
export const PACK_SIZE_MAX_BYTES: number = 128 * MiB;
/** A pack header larger than this is refused before anything is allocated (restic: 16 MiB). */
export const PACK_HEADER_MAX_BYTES: number = 16 * MiB;

/** No data blob that anyone writes is larger; a length beyond it is damage. */
export const DATA_BLOB_MAX_BYTES: number = 64 * MiB;
/** A folder of a million files is one tree blob of 350 MB; this is the longest text V8 can hold. */
export const TREE_BLOB_MAX_BYTES: number = 511 * MiB;
/** Unpacked files (index, snapshot, lock) larger than this after decompression are refused. */
export const UNPACKED_MAX_BYTES: number = 512 * MiB;

/** An index file is closed at this many blobs (restic: 50,000). */
export const INDEX_FILE_MAX_BLOBS = 50_000;
/** A running backup makes what it stored known this often, so that little is lost in a crash. */
export const INDEX_SAVE_INTERVAL_MS = 60_000;
/** After an interruption, what was stored is made known within this time: Ctrl-C ends in a second. */
export const SALVAGE_MAX_MS = 700;
/** A running backup notes this often how far it has come, for the next run to go on from. */
export const CHECKPOINT_INTERVAL_MS: number = 5 * 60_000;
/** ... and less often where folders are huge: a part of the data in so many is trees for it. */
export const CHECKPOINT_COST_RATIO = 50;
/** An interrupted backup notes it once more where no more entries are open: it ends in a second. */
export const CHECKPOINT_AT_END_MAX_ENTRIES = 100_000;
/** Index files that a prune replaces while they are being loaded are looked for again this often. */
export const INDEX_LOAD_ROUNDS_MAX = 5;

/** Files of one message to a worker: at most this many and about this many bytes. */
export const FILE_BATCH_MAX_FILES = 128;
export const FILE_BATCH_MAX_BYTES: number = 4 * MiB;
/** A file larger than this is scanned for cut points and handed out in ranges. */
export const WHOLE_FILE_MAX_BYTES: number = 8 * MiB;
/** Bytes of one range of a large file that one worker task scans or stores. */
export const RANGE_TASK_BYTES: number = 8 * MiB;
/** Bytes of a large file that one scan for cut points covers. */
export const SCAN_TASK_BYTES: number = 32 * MiB;
/** Ranges of one large file that are under way at the same time. */
export const RANGE_TASKS_PER_FILE_MAX = 8;
/** Large files that are stored at the same time. */
export const LARGE_FILES_IN_FLIGHT_MAX = 4;
/** Files whose contents are under way, at most, before the walk waits. */
export const FILES_IN_FLIGHT_MAX = 2048;
/** Packs waiting for or under upload before workers get no new task. */
export const PACKS_IN_FLIGHT_MAX = 2;
/** To storage far away as many are under upload as it has connections, within these bounds. */
export const PACKS_IN_FLIGHT_REMOTE_MAX = 32;
export const PACKS_IN_FLIGHT_REMOTE_MAX_BYTES: number = 512 * MiB;
/** ... of which all beyond PACKS_IN_FLIGHT_MAX wait in files. Where they cannot, it is these bounds. */
export const PACKS_IN_MEMORY_REMOTE_MAX = 5;
export const PACKS_IN_MEMORY_REMOTE_MAX_BYTES: number = 80 * MiB;
/** What was read of those files counts as memory for so long. */
export const WAITING_PAGES_FORGOTTEN_MS = 20;
/** The walk gives other work a turn after this long. */
export const WALK_SLICE_MS = 10;
/** A folder of more entries than this is listed in slices, with other work in between. */
export const LISTING_AT_ONCE_MAX_ENTRIES = 4_096;
/** Entries that are listed ahead while a repository is being opened: about 20 MB of them. */
export const READ_AHEAD_MAX_ENTRIES = 32_768;
/** An interrupted walk may take this long to notice. */
export const WALK_END_MAX_MS = 300;
/** Totals for a progress bar are counted once a backup has taken this long; for a log, longer. */
export const TOTALS_DELAY_MS = 1_000;
/** Tasks queued at one worker, the running one included. */
export const TASKS_PER_WORKER_MAX = 2;

/** A command that is told to stop is killed where it is still there after this. */
export const COMMAND_STOP_MS = 5_000;

/** Locks (restic): refreshed every 5 min, stale after 30, given up when not refreshed for 22.5. */
export const LOCK_REFRESH_MS: number = 5 * 60_000;
export const LOCK_STALE_MS: number = 30 * 60_000;
export const LOCK_GIVE_UP_MS: number = 22.5 * 60_000;
/** Not refreshed for this long, a lock whose process is not here any more is left over, most likely. */
export const LOCK_ABANDONED_MS: number = 10 * 60_000;
/** What a store's lists are taken to lag behind where nothing better is known (restic waits as long). */
export const LIST_LAG_DEFAULT_MS = 200;

/** Folders whose rewritten form is remembered for other snapshots; the rest is read again: 30 MB. */
export const REWRITE_FOLDERS_KEPT_MAX = 100_000;

/** Keys that are tried with one password (restic: 20). */
export const KEYS_TRIED_MAX = 20;
/** scrypt may use this much memory; a key file that asks for more is refused. */
export const SCRYPT_MEMORY_MAX_BYTES: number = 1024 * MiB;
/** The product N·r·p, which is scrypt's time: about 15 s of one core. restic's keys have 2^21. */
export const SCRYPT_WORK_MAX: number = 2 ** 26;

/** The local cache of one repository is trimmed to this size, oldest use first. */
export const CACHE_MAX_BYTES: number = 2048 * MiB;
/** A file larger than this is neither put into the cache nor taken from it. */
export const CACHE_FILE_MAX_BYTES: number = 512 * MiB;
/** Data waiting to be written to the cache; what comes on top is not cached. */
export const CACHE_PENDING_MAX_BYTES: number = 64 * MiB;
/** A cached file's time of last use is noted at most this often. */
export const CACHE_TOUCH_MS: number = 3_600_000;
/** Temporary files of the cache that are older were left by a crash. */
export const CACHE_TEMPORARY_MAX_MS: number = 24 * 3_600_000;
/** Cached repositories not used for this long are removed. */
export const CACHE_UNUSED_MAX_MS: number = 30 * 24 * 3_600_000;

/** Restore: gaps up to this are read along, and one request is at most this large. */
export const RANGE_GAP_MAX_BYTES: number = 1 * MiB;
export const RANGE_READ_MAX_BYTES: number = 8 * MiB;
/** Parts of packs that are in memory at once. */
export const RESTORE_BYTES_IN_FLIGHT_MAX: number = 64 * MiB;
/** Files are planned in windows. The first is small, so that the workers soon have something to do. */
export const RESTORE_WINDOW_FIRST_FILES = 64;
export const RESTORE_WINDOW_MAX_FILES = 8192;
export const RESTORE_WINDOW_FIRST_BYTES: number = 8 * MiB;
/** A blob that is needed in two windows is decoded twice: the larger, the rarer. */
export const RESTORE_WINDOW_MAX_BYTES: number = 4096 * MiB;
/** Files of several blobs in one window: each may be open until all of them are written. */
export const RESTORE_WINDOW_LARGE_FILES = 128;
/** In windows under way before the walk waits. */
export const RESTORE_FILES_PLANNED_MAX = 16_384;
export const RESTORE_BYTES_PLANNED_MAX: number = 8192 * MiB;
export const RESTORE_LARGE_FILES_PLANNED_MAX = 256;
/** Writes of one task, so that none runs for long; files of a task without writes. */
export const RESTORE_TASK_MAX_USES = 4096;
export const RESTORE_TASK_MAX_FILES = 512;
/** Bytes of existing files that one task compares. */
export const RESTORE_COMPARE_BYTES: number = 16 * MiB;
/** Directories of the target that one thread keeps open. */
export const RESTORE_DIRECTORIES_OPEN_MAX = 64;

/** A live bar is redrawn, a JSON status is printed, and a log gets a line, this often. */
export const PROGRESS_BAR_INTERVAL_MS = 100;
export const PROGRESS_JSON_INTERVAL_MS = 1_000;
export const PROGRESS_LOG_INTERVAL_MS = 30_000;

/** Problems kept for a summary; further ones are only counted. */
export const PROBLEMS_KEPT_MAX = 1000;

/** A local disk serves this many calls well at once; libuv has as many threads for them. */
export const LOCAL_CONNECTIONS = 4;
/** One system call reads or writes at most this much, so that an abort is seen soon. */
export const LOCAL_IO_SLICE_BYTES: number = 4 * MiB;
/** Sizes of this many files are asked for at once while a folder is listed. */
export const LOCAL_STATS_IN_FLIGHT_MAX = 32;

/** A mount command and the mount it makes are waited for this long, where nothing else is set. */
export const MOUNT_WAIT_DEFAULT_MS = 30_000;
export const MOUNT_WAIT_MAX_MS: number = 3_600_000;
/** How often it is looked whether the mount is there. */
export const MOUNT_POLL_MS = 200;
/** What a mount command wrote last, of which a message shows a line. */
export const MOUNT_COMMAND_OUTPUT_MAX_BYTES: number = 4 * KiB;

/** Azure: calls at the same time where nothing else is set (restic: 5), and at most. */
export const AZURE_CONNECTIONS_DEFAULT = 5;
export const AZURE_CONNECTIONS_MAX = 1000;
/** Connections beside those of `load` and `save`: a lock is refreshed however busy they are. */
export const AZURE_CONNECTIONS_SPARE = 3;
/** A connection on which nothing moves for this long is given up. */
export const AZURE_IDLE_TIMEOUT_MS = 60_000;
/** An upload that was sent whole before it was aborted is waited for so long. */
export const AZURE_ABORT_ANSWER_MAX_MS = 5_000;
/** A program that is asked for an identity's token is given up after this. */
export const AZURE_TOKEN_PROGRAM_MS = 30_000;
/** A larger file is sent in blocks of this size. */
export const AZURE_SINGLE_UPLOAD_MAX_BYTES: number = 64 * MiB;
export const AZURE_BLOCK_BYTES: number = 16 * MiB;
/** An upload is handed to its connection in such parts, and can be aborted before the last. */
export const AZURE_UPLOAD_SLICE_BYTES: number = 256 * KiB;
/** The service has a checksum for a range up to this size. */
export const AZURE_RANGE_CHECKSUM_MAX_BYTES: number = 4 * MiB;
/** Blobs of one page of a list: the service's own maximum. */
export const AZURE_LIST_PAGE_BLOBS = 5000;
/** Asked for the states of more packs than this, a list of all is cheaper than a call for each. */
export const AZURE_STATES_ASKED_SINGLY_MAX = 100;
/** A failed call to a store is made again after pauses that double, with chance (restic: the same). */
export const RETRY_PAUSE_FIRST_MS = 1_000;
export const RETRY_PAUSE_MAX_MS = 60_000;
/** ... and is given up once it has failed for so long (restic: 15 min). */
export const RETRY_TOTAL_MAX_MS: number = 15 * 60_000;
/** Storage that cannot even be opened is given up earlier: a name may be wrong, and somebody waits. */
export const RETRY_OPEN_MAX_MS: number = 2 * 60_000;
/** What one attempt adds to that at most: the machine may have slept in it. */
export const RETRY_ATTEMPT_COUNTED_MAX_MS: number = 5 * 60_000;
/** A store that asks for a longer pause is taken to ask for this one. */
export const RETRY_AFTER_MAX_MS: number = 60 * 60_000;
/** A stored file is compared with what it should be in pieces of this size. */
export const COMPARE_SLICE_BYTES: number = 4 * MiB;

/** Rate limits: what goes at once, as a time at that rate, and as bytes. */
export const PACE_SLICE_MS = 100;
export const PACE_SLICE_MIN_BYTES: number = 1 * KiB;
export const PACE_SLICE_MAX_BYTES: number = 16 * KiB;

/** Packs in the archive of a tiered store of which it is remembered that the hot part lacks them. */
export const TIER_MISSES_KEPT_MAX = 100_000;
/** An interrupted save into a tiered store cleans up for no longer. */
export const TIER_CLEANUP_MAX_MS = 700;
/** Files that a repair of a hot part copies at once. */
export const HOT_REPAIR_FILES_IN_FLIGHT_MAX = 4;
/** Calls of a method whose times are kept, to tell the middle one: the last so many. */
export const METRICS_TIMES_KEPT_MAX = 4096;

/** `backend test`: calls for a latency; files, time and bytes for a speed; how long a lock holds. */
export const PROBE_LATENCY_CALLS = 20;
export const PROBE_SPEED_FILE_BYTES: number = 8 * MiB;
export const PROBE_SPEED_MIN_MS = 3_000;
export const PROBE_SPEED_MAX_BYTES: number = 128 * MiB;
/** They are made before they are sent, one more for each connection up to so many. */
export const PROBE_SPEED_MORE_FILES_MAX = 16;
export const PROBE_LOCK_MS = 60_000;
/** SFTP: files that are read or written at once (restic: 5), and the ssh processes they go through. */
export const SFTP_CONNECTIONS = 5;
export const SFTP_CONNECTIONS_MAX = 64;
export const SFTP_PROCESSES_MAX = 2;
/** From this time for an answer on, one process alone would be held back: to 200 MB/s, and less. */
export const SFTP_FAR_MS = 10;
/** A packet larger than this is refused before anything is allocated (OpenSSH: 256 KiB). */
export const SFTP_PACKET_MAX_BYTES: number = 256 * KiB;
/** Bytes that one request carries: what every server takes, and what ours are at most. */
export const SFTP_DATA_DEFAULT_BYTES: number = 32 * KiB;
export const SFTP_DATA_MAX_BYTES: number = 255 * KiB;
/** Bytes of one file that are asked for or sent before the first of them is answered. */
export const SFTP_BYTES_IN_FLIGHT_MAX: number = 2 * MiB;
/** Folders that are listed at once: each is a handle of the server. */
export const SFTP_FOLDERS_IN_FLIGHT_MAX = 64;
/** Of what ssh says on its standard error, the last so many bytes are kept for an error. */
export const SFTP_STDERR_MAX_BYTES: number = 8 * KiB;
/** Without a terminal nobody is asked for anything: a server that has not answered by then will not. */
export const SFTP_START_MAX_MS: number = 2 * 60_000;
/** While requests are unanswered and nothing comes or goes for so long, the connection is dead. */
export const SFTP_SILENCE_MAX_MS: number = 5 * 60_000;
/** After an abort, or at the end, a server has so long to answer before its ssh is killed. */
export const SFTP_END_MAX_MS = 5_000;
/** Temporary files of lost connections that are remembered, to be removed by the next one. */
export const SFTP_TEMPORARIES_KEPT_MAX = 1_000;
/** Calls that a REST server or rclone gets at once (restic: 5), and the most that may be asked for. */
export const REST_CONNECTIONS = 5;
export const REST_CONNECTIONS_MAX = 100;
/** A name is looked up, a connection made and TLS agreed on within this time. */
export const REST_CONNECT_MS = 30_000;
/** A call on which no byte moves for this long has stalled (restic: 5 min). */
export const REST_IDLE_MS: number = 5 * 60_000;
/** A call may take this long, and what its bytes take at the slowest rate on top. */
export const REST_CALL_MS: number = 30 * 60_000;
export const REST_SLOWEST_BYTES_PER_SECOND: number = 4 * KiB;
/** What a server may take to answer an upload that was broken off. */
export const REST_BREAK_OFF_MS = 5_000;
/** Connections without work are kept this long. */
export const REST_KEEP_ALIVE_MS = 60_000;
/** An upload is handed to the connection in slices, so that an abort is seen soon. */
export const REST_SEND_SLICE_BYTES: number = 512 * KiB;
/** Memory for a file of unknown length is taken only as its bytes come, up to this length. */
export const REST_FILE_MAX_BYTES: number = 4096 * MiB;
export const REST_ALLOCATE_AHEAD_BYTES: number = 16 * MiB;
/** One entry of a list, and a list in all: a hundred million files. */
export const REST_LIST_ENTRY_MAX_BYTES: number = 64 * KiB;
export const REST_LIST_MAX_BYTES: number = 10 * 1024 * MiB;
/** What is read of the text that a server says to a failure; of it, so many characters are shown. */
export const REST_FAILURE_TEXT_MAX_BYTES: number = 16 * KiB;
export const REST_FAILURE_TEXT_SHOWN_CHARS = 200;
/** HTTP/2: bytes that may be under way to us in one call, and in all. */
export const HTTP2_STREAM_WINDOW_BYTES: number = 4 * MiB;
export const HTTP2_SESSION_WINDOW_BYTES: number = 32 * MiB;
export const HTTP2_SESSION_MEMORY_MB = 256;

/** rclone answers within this time after it is started (restic: 1 min). */
export const RCLONE_START_MS = 60_000;
/** rclone may take this long to end by itself before it is killed (restic: 5 s). */
export const RCLONE_STOP_MS = 5_000;
/** So long may it take to remove the empty folders of a test. */
export const RCLONE_TIDY_MAX_MS = 60_000;
/** What the lists of a store behind rclone are taken to lag behind, where the user says nothing. */
export const RCLONE_LIST_LAG_MS = 1_000;
/** Of what rclone says, this much is kept to explain a failure, and shown of its last message. */
export const RCLONE_MESSAGES_KEPT_BYTES: number = 16 * KiB;
export const RCLONE_MESSAGE_SHOWN_CHARS = 300;

/** Packs that a check has in memory at once, and their bytes (one larger pack may go alone). */
export const CHECK_PACKS_IN_FLIGHT_MAX = 16;
export const CHECK_BYTES_IN_FLIGHT_MAX: number = 256 * MiB;
/** Sentences about one file or tree that a check keeps; further ones are only counted. */
export const CHECK_DETAILS_KEPT_MAX = 20;
/** What a check remembers of packs takes about 85 bytes each; a larger file is not believed. */
export const CHECK_MEMORY_MAX_BYTES: number = 256 * MiB;
/** A check begins anew this often where packs go while it runs. */
export const CHECK_ROUNDS_MAX = 5;
/** Trees that a check loads again to name the files that damage affects. */
export const CHECK_NAMING_TREES_MAX = 20_000;
/** Copy: parts of the source's packs that are in memory at once. */
export const COPY_BYTES_IN_FLIGHT_MAX: number = 32 * MiB;
/** Snapshots whose trees a copy reads together. */
export const COPY_SNAPSHOTS_AT_ONCE_MAX = 16;
/** Snapshots are copied together until their new blobs fill this many packs. */
export const COPY_BATCH_PACKS = 100;

/** Prune: how long a pack stays marked before it is deleted: longer than any backup runs. */
export const PRUNE_KEEP_DELETE_DEFAULT_MS: number = 23 * 3_600_000;
/** Clocks of several machines are taken to differ by no more. */
export const PRUNE_CLOCK_MARGIN_MS = 3_600_000;
/** What a killed save has left is removed once nothing was written to it for so long. */
export const LEFT_OVER_MIN_AGE_MS: number = 24 * 3_600_000;
/** Of such files so many are looked at in one prune, and so many removed at once. */
export const LEFT_OVERS_FOUND_MAX = 10_000;
export const LEFT_OVERS_IN_FLIGHT_MAX = 8;
/** Fewer small packs than this are not worth putting together (restic: 10). */
export const PRUNE_SMALL_PACKS_MIN = 10;
/** Parts of packs that a prune has in memory at once (one larger part may go alone). */
export const PRUNE_BYTES_IN_FLIGHT_MAX: number = 96 * MiB;
/** The trees of a pack are read together where they take no more than this. */
export const PRUNE_TREE_SPAN_MAX_BYTES: number = 32 * MiB;
/** Missing blobs that one task names. */
export const PRUNE_MISSING_NAMED_MAX = 20;
/** Packs without an index whose headers are read at once. */
export const PRUNE_HEADERS_IN_FLIGHT_MAX = 8;
/** Index files that a prune has workers make while others are being stored. */
export const PRUNE_INDEX_FILES_IN_FLIGHT_MAX = 4;
/** Files that are removed at once. */
export const PRUNE_REMOVALS_IN_FLIGHT_MAX = 8;
/** Index files with fewer blobs are put together when others are rewritten anyway. */
export const PRUNE_SMALL_INDEX_BLOBS = 5_000;

/** Blobs of a file that a reader of its content fetches ahead. */
export const READ_AHEAD_BLOBS = 4;

/** A dump reads in windows of about so many bytes or parts, and so many windows ahead. */
export const DUMP_WINDOW_MAX_BYTES: number = 8 * MiB;
export const DUMP_WINDOW_MAX_PARTS = 4096;
export const DUMP_WINDOWS_AHEAD = 3;
/** Small pieces of an archive are put together up to this size. */
export const DUMP_OUTPUT_BYTES: number = 256 * KiB;
/** Trees that a search remembers, so that no snapshot walks them again; and their matches. */
export const FIND_REMEMBERED_TREES_MAX: number = 1 << 20;
export const FIND_REMEMBERED_MATCHES_MAX = 500_000;

/** Of what a program says on its standard error, the last so many bytes are kept for an error. */
export const REPLICATE_STDERR_MAX_BYTES: number = 8 * KiB;
/** A program that is asked for a list prints lines of at most so many characters ... */
export const REPLICATE_LINE_MAX_CHARS: number = 4 * KiB;
/** ... and for a config, at most so many bytes. */
export const REPLICATE_CONFIG_MAX_BYTES: number = 1 * MiB;
/** Packs that a sample compares: of those just sent, and of those that were there. */
export const REPLICATE_SAMPLE_PACKS = 32;
/** Calls to an object store at once, unless the user says otherwise (restic: 5). */
export const S3_CONNECTIONS = 5;
export const S3_CONNECTIONS_MAX = 256;
/** For locks and lists, which must not wait for packs. */
export const S3_SPARE_SOCKETS = 4;
/** A connection that takes longer, or on which nothing is heard for so long, is given up. */
export const S3_CONNECT_MAX_MS = 15_000;
export const S3_IDLE_MAX_MS = 120_000;
/** An upload that was sent whole before it was aborted is waited for so long. */
export const S3_ABORT_ANSWER_MAX_MS = 5_000;
/** A body is handed to its connection in slices, so that an abort is seen between them. */
export const S3_WRITE_SLICE_BYTES: number = 256 * KiB;
/** What is larger goes up in parts. Packs are smaller; a huge index or snapshot may not be. */
export const S3_SINGLE_PUT_MAX_BYTES: number = 128 * MiB;
export const S3_PART_BYTES: number = 64 * MiB;
/** What a probe of Object Lock writes is locked for so long. */
export const S3_LOCK_PROBE_MS = 60_000;
/** Packs that are waited for are asked this often whether they are thawed: each question is paid. */
export const THAW_POLL_MS: number = 5 * 60_000;
/** Thawed packs stay readable for so many days, unless the user says otherwise. */
export const THAW_DAYS_DEFAULT = 7;
/** Where a machine is no machine of a cloud, nobody answers there: it is not waited for longer. */
export const S3_METADATA_MAX_MS = 1_000;

/** What a program may print where its whole output is kept. */
export const COMMAND_OUTPUT_MAX_BYTES: number = 16 * MiB;
/** Of what a program says, so much is kept to tell why it failed. */
export const COMMAND_LAST_WORDS_MAX_BYTES: number = 8 * KiB;
export const COMMAND_LINE_MAX_CHARS: number = 64 * 1024;
/** One message through one channel. */
export const NOTIFY_TIMEOUT_MS = 30_000;
/** Of what a channel answers, so much is read: Telegram sends the whole message back. */
export const NOTIFY_ANSWER_MAX_BYTES: number = 128 * KiB;
/** Tries of one message, the pause before the second (each next is three times it), and all of it. */
export const NOTIFY_ATTEMPTS_MAX = 4;
export const NOTIFY_RETRY_PAUSE_MS = 2_000;
export const NOTIFY_TOTAL_MAX_MS: number = 2 * 60_000;
/** A run waits no longer for those who are told that it begins, or that it was interrupted. */
export const NOTIFY_BRIEF_MAX_MS = 5_000;
/** Channels that are told at the same time. */
export const NOTIFY_CHANNELS_IN_FLIGHT_MAX = 4;
/** Messages that wait for a digest, or for a channel to work again; older ones are only counted. */
export const NOTIFY_KEPT_MAX = 50;
export const NOTIFY_KEPT_LINES_MAX = 8;
export const NOTIFY_KEPT_LINE_MAX_CHARS = 300;
/** What could not be delivered is tried again at most so often, where nothing new is to be told. */
export const NOTIFY_KEPT_RETRY_MS: number = 15 * 60_000;
/** Who changes what a channel remembers waits so long for others that do; then it goes on. */
export const NOTIFY_LOCK_WAIT_MS = 5_000;
export const NOTIFY_LOCK_POLL_MS = 20;
/** Messages that a channel remembers to have sent, to say none twice. */
export const NOTIFY_TOLD_MAX = 500;

/** What a run logs is written to the catalog in pieces of so many lines, and kept up to so many. */
export const RUN_LOG_BATCH_LINES = 64;
export const RUN_LOG_LINES_MAX = 20_000;
/** Less new data than this is never "far more than ever". */
export const SURGE_MIN_BYTES: number = 256 * MiB;
/** Where a run dies or overruns its window, its watchdog begins to undo within this time. */
export const WATCHDOG_BOUND_MS = 5_000;
/** A watchdog that is started says so within this time; a step is not done before. */
export const WATCHDOG_START_MAX_MS = 30_000;
/** A watchdog that ends is started again this often in one run. */
export const WATCHDOG_RESTARTS_MAX = 20;
/** What it cannot undo, it tries again in rounds. */
export const WATCHDOG_ROUNDS_MAX = 20;
export const WATCHDOG_ROUND_PAUSE_MS = 30_000;
/** Tries of one step in one round; the pause between them doubles. */
export const UNDO_ATTEMPTS_MAX = 3;
export const UNDO_RETRY_PAUSE_MS = 500;
/** How long a step may take to be undone, where nobody said. */
export const UNDO_TIMEOUT_MS = 60_000;
/** Whoever finds another process undoing the same run waits so long for it. */
export const UNDO_LOCK_WAIT_MS: number = 10 * 60_000;
export const UNDO_LOCK_POLL_MS = 20;
/** How long the lock of a process that has gone may outlive it, and how often it is looked at. */
export const LOCK_LINGER_MAX_MS = 1_000;
export const LOCK_LINGER_POLL_MS = 5;
/** A journal that is larger is not believed, and a run does not write one. */
export const UNDO_JOURNAL_MAX_BYTES: number = 16 * MiB;
/** Of a failure, so much is kept in a journal. */
export const UNDO_MESSAGE_MAX_CHARS = 500;
/** Processes of an interrupted step are looked for and ended until none is left, so often. */
export const UNDO_ORPHAN_ROUNDS_MAX = 50;
/** Tries of a hook whose policy is `retry`, and the pause before the second; each next is twice it. */
export const HOOK_ATTEMPTS_MAX = 3;
export const HOOK_RETRY_PAUSE_MS = 5_000;
/** A destination must have so much free space at least, or so many times what a run usually stores. */
export const FREE_SPACE_MIN_BYTES: number = 64 * MiB;
export const EXPECTED_GROWTH_FACTOR = 2;
/** So many runs tell what is usual. */
export const SOURCE_HISTORY_FOR_SPACE = 10;
/** A capture is compared with so many before it. */
export const COMPARED_CAPTURES_MAX = 60;
/** Where none of those was complete, the baseline is looked for among so many. */
export const CAPTURES_LOOKED_BACK_MAX: number = 60 * 8 ** 3;
/** Of a plan's newest snapshots in a destination, so many are asked whether they count. */
export const UNPROVEN_SNAPSHOTS_MAX = 5_000;
/** A preview of retention looks at so many runs ahead. */
export const SIMULATED_RUNS_MAX = 10_000;
/** What the bootstrap kit holds of the catalog: the newest, up to so much. */
export const KIT_CATALOG_MAX_BYTES: number = 128 * 1024;
export const CONTAINER_LOOK_MAX_MS = 30_000;
/** How long the removal of a snapshot may take, retries included. */
export const SNAPSHOT_REMOVE_MAX_MS = 120_000;
/** The configuration: files that include each other, and what each may hold. */
export const CONFIGURATION_FILES_MAX = 256;
export const CONFIGURATION_FILE_MAX_BYTES: number = 1 * MiB;
/** Values of one file, with each alias counted as what it stands for. */
export const CONFIGURATION_VALUES_MAX = 50_000;
export const CONFIGURATION_DEPTH_MAX = 48;
/** Problems of a configuration that are told at once. */
export const CONFIGURATION_PROBLEMS_MAX = 30;
/** A destination that has not answered a check by then is not there for it. */
export const PLAN_CHECK_DESTINATION_TIMEOUT_MS = 60_000;
export const SECRET_MAX_BYTES: number = 64 * KiB;
export const SECRET_COMMAND_TIMEOUT_MS = 60_000;
/** A write to the catalog waits so long for those of other processes, and looks so often. */
export const CATALOG_BUSY_MAX_MS = 30_000;
export const CATALOG_BUSY_POLL_MAX_MS = 100;
/** A catalog on a server: connections, and how long they and what is asked may take. */
export const CATALOG_CONNECTIONS = 4;
export const CATALOG_CONNECT_MAX_MS = 10_000;
export const CATALOG_QUERY_MAX_MS = 120_000;
/** Prepared statements that are kept. */
export const CATALOG_STATEMENTS_MAX = 128;
/** Rows that one statement writes or names, and rows that one transaction removes. */
export const CATALOG_ROWS_AT_ONCE = 500;
/** Plans whose states are read at once; no fewer than CATALOG_ROWS_AT_ONCE. */
export const CATALOG_PLANS_PAGE = 1_000;
/** Audit entries that are read at once. */
export const CATALOG_AUDIT_PAGE = 1_000;
/** A snapshot that is only busy is removed after a pause, and so often. */
export const SNAPSHOT_BUSY_PAUSE_MS = 2_000;
export const SNAPSHOT_BUSY_TRIES_MAX = 8;
/** A PostgreSQL server answers within this time, or counts as down. */
export const POSTGRES_CONNECT_SECONDS = 15;
/** Databases whose moment is fixed at the same time: each takes a connection. */
export const POSTGRES_PINS_IN_FLIGHT_MAX = 8;
/** A dump that waits longer for a table that somebody has locked for himself fails. */
export const POSTGRES_LOCK_WAIT_MS: number = 10 * 60_000;
/** A program that tells of the machine's configuration is given up after so long. */
export const REPORT_COMMAND_MS = 60_000;
/** The scheduler looks at the clock at least this often: a clock that was set is noticed so soon. */
export const SCHEDULE_SLEEP_MAX_MS = 60_000;
/** A moment noticed later than this was missed, and is made up for where the plan says so. */
export const SCHEDULE_LATE_MAX_MS: number = 5 * 60_000;
/** Of moments of one trigger missed together, so many are recorded; the older ones are counted. */
export const SCHEDULE_MISSES_RECORDED_MAX = 1000;
/** Whatever was missed longer ago is not looked for any more. */
export const SCHEDULE_LOOK_BACK_MAX_MS: number = 400 * 24 * 3_600_000;
/** A clock set back by less repeats nothing; by more, it was wrong before and all starts anew. */
export const SCHEDULE_SET_BACK_MAX_MS: number = 24 * 3_600_000;
/** A clock that shows less was never set: 2025. */
export const CLOCK_PLAUSIBLE_MIN_MS: number = Date.UTC(2025, 0, 1);
/** Runs of a plan among which the one that answers a moment is looked for. */
export const SCHEDULE_RUNS_SEARCHED_MAX = 20;
/** At a stop, running backups are waited for so long before they are asked to end ... */
export const DAEMON_STOP_WAIT_MS: number = 60_000;
/** ... and so long after that before they are ended. */
export const DAEMON_STOP_KILL_MS: number = 60_000;
/** A page of metrics is asked of the catalog at most this often. */
export const METRICS_AGE_MAX_MS = 5_000;
/** A request for metrics that takes longer is given up, and so many are answered at once. */
export const METRICS_TIMEOUT_MS = 10_000;
export const METRICS_CONNECTIONS_MAX = 16;
/** The file for node_exporter is written this often. */
export const METRICS_TEXTFILE_INTERVAL_MS = 60_000;
/** A daemon tries so often to deliver what could not be delivered. */
export const NOTIFY_FLUSH_INTERVAL_MS = 60_000;
/** The last restore test is looked for among so many of a plan's proofs. */
export const PROOFS_LOOKED_BACK_MAX = 1_000;
/** Less new data than that says nothing of how fast a plan's data is moved, unless all was read. */
export const THROUGHPUT_MIN_BYTES: number = 64 * MiB;
