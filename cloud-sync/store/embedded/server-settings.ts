/** Overrides by name, e.g. `{ fsync: "off" }` for a throw-away server of tests. */
export type ServerSettings = Readonly<Record<string, string>>;

/** The one role, a superuser of its own server, and the one database. */
export const SERVER_ROLE = "nerve";
export const SERVER_DATABASE = "nerve";

/** Sized for a machine of two cores and 2 GB that also runs the center. Sources: PostgreSQL 18 manual, chapter 19. */
const SETTINGS: ServerSettings = {
  listen_addresses: "127.0.0.1",
  // A socket file would need a folder that our user and PostgreSQL's both may enter.
  unix_socket_directories: "",
  password_encryption: "scram-sha-256",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  max_connections: "40",
  shared_buffers: "32MB",
  effective_cache_size: "512MB",
  work_mem: "4MB",
  maintenance_work_mem: "64MB",
  max_wal_size: "512MB",
  min_wal_size: "80MB",
  // systemd's RemoveIPC deletes an ordinary user's segments in /dev/shm when he logs out.
  dynamic_shared_memory_type: "mmap",
  huge_pages: "off",
  io_method: "sync",
  max_worker_processes: "4",
  max_parallel_workers_per_gather: "1",
  autovacuum_max_workers: "2",
  jit: "off",
  logging_collector: "off",
  log_destination: "stderr",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
  log_timezone: "UTC",
  timezone: "UTC",
  cluster_name: "nerve",
};

/** Given on the command line, so that every start has this release's settings whatever the data folder's files say. */
export function settingArguments(overrides: ServerSettings): readonly string[] {
  return Object.entries({ ...SETTINGS, ...overrides }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
