package import WireCore

/// A change of one of the files that the container's resolver reads.
///
/// The files are the container's own and end with it, so there is nothing to take back; a second edit replaces what the
/// first one wrote.
package struct FileEdit: Sendable, Hashable {
  package enum Change: Sendable, Hashable {
    case hosts([HostsLine])
    case resolver(ResolverSettings)
  }

  package var file: ContainerFile
  package var change: Change
  /// Whether the container asked for it: else the start does not fail because of it.
  package var isRequired: Bool

  package init(file: ContainerFile, change: Change, isRequired: Bool) {
    self.file = file
    self.change = change
    self.isRequired = isRequired
  }

  /// What the file holds afterwards.
  package func edited(_ bytes: [UInt8]) -> [UInt8] {
    switch change {
    case .hosts(let lines): HostsText.edited(bytes, lines)
    case .resolver(let settings): ResolverText.edited(bytes, settings)
    }
  }
}

/// A file of the container's, and where it is opened from.
package struct ContainerFile: Sendable, Hashable {
  package enum Place: String, Sendable, Hashable {
    /// The engine's folder: only the engine writes to it, and no link is followed.
    case engine
    /// The container's root: links there are the image's, and lead where they would inside the container.
    case root
  }

  package var place: Place
  /// Absolute.
  package var directory: String
  /// Relative to the directory.
  package var name: String

  package init(_ place: Place, directory: String, name: String) {
    self.place = place
    self.directory = directory
    self.name = name
  }
}

/// A line of /etc/hosts.
package struct HostsLine: Sendable, Hashable {
  package var address: IPAddress
  package var names: [String]
  /// Whether it names the container itself. An engine that knows of no network has put that name on loopback.
  package var isOwn: Bool

  package init(_ address: IPAddress, _ names: [String], isOwn: Bool) {
    self.address = address
    self.names = names
    self.isOwn = isOwn
  }
}

/// What is to stand in /etc/resolv.conf.
package struct ResolverSettings: Sendable, Hashable {
  /// Empty: those that are there.
  package var servers: [IPAddress]
  /// nil: those that are there.
  package var search: [String]?

  package init(servers: [IPAddress], search: [String]?) {
    self.servers = servers
    self.search = search
  }
}
