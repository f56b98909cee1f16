/// The tables, as SQLite keeps their text; docs/state.md draws them.
///
/// SQLite reads all of this text at each open, so each table and index costs every start of a container: none is here
/// for comfort. Indices of `lease` are partial, so that a fresh address changes one of them only.
enum Schema {
  /// `user_version` of a file that has these tables.
  static let version: Int64 = 1
  /// `application_id`: "WIRE" in ASCII.
  static let application: Int64 = 0x5749_5245

  static let statements: [StaticString] = [
    "CREATE TABLE meta(boot TEXT NOT NULL) STRICT",
    """
    CREATE TABLE container(
      id TEXT PRIMARY KEY NOT NULL CHECK(id <> ''),
      name TEXT,
      owner TEXT NOT NULL,
      bundle TEXT NOT NULL,
      runtime TEXT NOT NULL,
      pid INTEGER NOT NULL,
      pid_start INTEGER NOT NULL,
      netns_device INTEGER NOT NULL,
      netns_inode INTEGER NOT NULL,
      status INTEGER NOT NULL CHECK(status IN (0, 1, 2)),
      created INTEGER NOT NULL,
      document TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX container_name ON container(name) WHERE name IS NOT NULL",
    "CREATE INDEX container_netns ON container(netns_inode)",
    """
    CREATE TABLE link(
      name TEXT PRIMARY KEY CHECK(length(name) BETWEEN 1 AND 15),
      container TEXT NOT NULL REFERENCES container(id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX link_container ON link(container)",
    """
    CREATE TABLE pool(
      segment TEXT NOT NULL,
      first BLOB NOT NULL CHECK(length(first) IN (4, 16)),
      last BLOB NOT NULL CHECK(length(last) = length(first) AND last >= first),
      reached BLOB NOT NULL CHECK(reached = x'' OR length(reached) = length(first) AND reached BETWEEN first AND last),
      PRIMARY KEY(segment, first)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE lease(
      segment TEXT NOT NULL,
      address BLOB NOT NULL CHECK(length(address) IN (4, 16)),
      owner TEXT NOT NULL,
      interface TEXT NOT NULL,
      container TEXT REFERENCES container(id),
      pool BLOB NOT NULL,
      freed INTEGER CHECK((freed IS NULL) = (container IS NOT NULL)),
      PRIMARY KEY(segment, address)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX lease_container ON lease(container) WHERE container IS NOT NULL",
    "CREATE INDEX lease_free ON lease(segment, pool, freed) WHERE container IS NULL",
    "CREATE INDEX lease_owner ON lease(owner, segment, interface, freed) WHERE container IS NULL",
    """
    CREATE TABLE port(
      transport INTEGER NOT NULL CHECK(transport BETWEEN 0 AND 255),
      port INTEGER NOT NULL CHECK(port BETWEEN 1 AND 65535),
      address BLOB NOT NULL CHECK(length(address) IN (4, 16)),
      container TEXT NOT NULL REFERENCES container(id) ON DELETE CASCADE,
      PRIMARY KEY(transport, port, address)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX port_container ON port(container)",
    """
    CREATE TRIGGER port_overlap BEFORE INSERT ON port BEGIN
      SELECT RAISE(ABORT, 'the port overlaps another on a wildcard address') FROM port
      WHERE transport = NEW.transport AND port = NEW.port AND length(address) = length(NEW.address)
        AND address <> NEW.address AND zeroblob(length(address)) IN (address, NEW.address);
    END
    """,
    """
    CREATE TRIGGER port_fixed BEFORE UPDATE ON port BEGIN
      SELECT RAISE(ABORT, 'a port is claimed and given up, never changed');
    END
    """,
    """
    CREATE TABLE chosen_port(
      owner TEXT NOT NULL,
      transport INTEGER NOT NULL,
      address BLOB NOT NULL,
      container_port INTEGER NOT NULL,
      host_port INTEGER NOT NULL CHECK(host_port BETWEEN 1 AND 65535),
      used INTEGER NOT NULL,
      PRIMARY KEY(owner, transport, address, container_port)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX chosen_port_used ON chosen_port(used)",
    """
    CREATE TABLE network(
      name TEXT PRIMARY KEY,
      fingerprint TEXT NOT NULL,
      bridge INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
  ]

  /// What takes a file of version `index` + 1 to the next one; its last result must be the text of `statements`.
  static let migrations: [[StaticString]] = []
}
