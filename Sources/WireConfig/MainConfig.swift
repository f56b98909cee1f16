package import WireCore
package import WireJSON

/// The main file, `/etc/wirehook/wirehook.json`.
package struct MainConfig: Sendable, Equatable {
  /// Absolute.
  package var stateDirectory = "/run/wirehook"
  package var defaultNetwork = "default"
  /// Whether a container without any `wirehook.` key is wired.
  package var auto = true
  /// What `wirehook-runc` becomes: a name to look up in PATH, or an absolute path.
  package var runtime = "runc"
  package var log = LogSettings()
  package var timeoutMilliseconds = 10_000
  /// Host addresses for ports that name none; empty: all.
  package var publishOn: [IPAddress] = []
  package var policy = Policy()
  /// Where Open vSwitch's database is, for networks that do not say it and for `ovs:NAME`.
  package var ovsDatabase = DatabaseAddress.standard

  /// Where the main file is, unless an option or `$WIREHOOK_CONFIG` says otherwise.
  package static let standardPath = "/etc/wirehook/wirehook.json"
  /// The most that a file of ours may hold, in bytes.
  package static let fileLimit = 1 << 20

  /// The settings of a host without a main file.
  package static let standard = MainConfig()

  private init() {}
}

extension MainConfig {
  /// The keys of the main file.
  package static let keys = [
    "state_dir", "default_network", "auto", "runtime", "log", "timeout_ms", "publish_on", "policy", "ovs",
  ]

  /// Reads the main file; `file` is its path, for errors.
  package init(json: JSONValue, file: String) throws(WireError) {
    let reader = JSONReader(json, document: file)
    try reader.allowOnly(Self.keys)
    if let given = reader["state_dir"] { stateDirectory = try given.parsed("an absolute path", Self.absolutePath) }
    if let given = reader["default_network"] {
      defaultNetwork = try given.parsed("a network's name: \(NetworkName.expectation)") {
        NetworkName.isValid($0) ? $0 : nil
      }
    }
    auto = try reader["auto"]?.bool() ?? auto
    if let given = reader["runtime"] {
      // A daemon's working directory is no place to look: a relative path would be found by some callers only.
      runtime = try given.parsed("a name without \"/\", or an absolute path") { text in
        text.utf8.contains(UInt8(ascii: "/")) ? Self.absolutePath(text) : text.isEmpty ? nil : text
      }
    }
    if let given = reader["log"] { log = try LogSettings(given) }
    if let given = reader["timeout_ms"] { timeoutMilliseconds = Int(try given.integer(in: 100...600_000)) }
    publishOn = try reader["publish_on"]?.hostAddresses() ?? []
    if let given = reader["policy"] { policy = try Policy(given) }
    if let given = reader["ovs"] {
      try given.allowOnly(["database"])
      ovsDatabase = try OVSSettings.database(given) ?? ovsDatabase
    }
  }

  /// The path without slashes at its end; nil if it is relative or leads upwards.
  static func absolutePath(_ text: String) -> String? {
    guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count < 4096,
      !text.pieces(at: UInt8(ascii: "/")).contains("..")
    else {
      return nil
    }
    let end = text.utf8.lastIndex { $0 != UInt8(ascii: "/") }
    return end.map { String(text[...$0]) }
  }
}

/// Where messages go besides standard error.
package struct LogSettings: Sendable, Hashable {
  package enum Target: Sendable, Hashable {
    /// journald where its socket is there, else nothing beyond standard error.
    case automatic
    case journald
    case stderr
    /// An absolute path.
    case file(String)
  }

  package enum Level: String, Sendable, CaseIterable, Comparable {
    case error, warning, info, debug

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }

  package var target = Target.automatic
  /// The least important messages that are written.
  package var level = Level.info

  package init(target: Target = .automatic, level: Level = .info) {
    self.target = target
    self.level = level
  }
}

extension LogSettings {
  /// Reads `"journald"`, `"stderr"`, `"/a/file"`, or `{"target": …, "level": "debug"}`.
  init(_ reader: JSONReader) throws(WireError) {
    guard case .object = reader.value else {
      self.init(target: try Self.target(reader))
      return
    }
    try reader.allowOnly(["target", "level"])
    self.init()
    if let given = reader["target"] { target = try Self.target(given) }
    if let given = reader["level"] {
      level = try given.parsed("\"error\", \"warning\", \"info\" or \"debug\"", Level.init(rawValue:))
    }
  }

  private static func target(_ reader: JSONReader) throws(WireError) -> Target {
    try reader.parsed("\"journald\", \"stderr\" or the absolute path of a file") { text in
      switch text {
      case "journald": .journald
      case "stderr": .stderr
      default: MainConfig.absolutePath(text).map(Target.file)
      }
    }
  }
}

extension JSONReader {
  /// Addresses that the host may have; `0.0.0.0` and `::` mean all of a family.
  func hostAddresses() throws(WireError) -> [IPAddress] {
    var result: [IPAddress] = []
    for element in try elements() {
      result.append(
        try element.parsed("an address of the host") { text in IPAddress(text).flatMap { $0.isMulticast ? nil : $0 } })
    }
    return result
  }

  /// Addresses or prefixes.
  func sources() throws(WireError) -> [Prefix] {
    var result: [Prefix] = []
    for element in try elements() { result.append(try element.parsed(AllowList.expectation, AllowList.source)) }
    return result
  }
}
