import WireCore

/// Why the recorded state could not be read or changed. `kind` is for the caller to branch on, `detail` for people.
package struct StateError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// The file is no SQLite database, or is one with damage. `Store.setAside` makes room for a new one.
    case corrupt
    /// The file is an SQLite database of another program.
    case foreign
    /// The file was written by a later release, whose schema version this is.
    case newer(version: Int64)
    /// Another process held the database for longer than the busy timeout.
    case busy
    /// No space left where the file lies.
    case full
    /// The file or its directory cannot be opened, read or written; with errno, 0 where SQLite gives none.
    case inaccessible(errno: Int32)
    /// A constraint of the schema refused a change: a claim for a container that is not recorded, a port number 0…
    case refused
    /// The link name belongs to this container.
    case linkTaken(by: String)
    /// The address belongs to this container.
    case addressTaken(by: String)
    /// The port, or one that overlaps it (a wildcard address against a specific one), belongs to this container.
    case portTaken(by: String, HostPort)
  }

  package let kind: Kind
  package let detail: String

  package init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }

  package var description: String { detail }
}
