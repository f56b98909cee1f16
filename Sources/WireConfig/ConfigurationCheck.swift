package import WireCore

/// What the files of one host say together that they must not.
package enum ConfigurationCheck {
  package struct Finding: Sendable, Equatable {
    package enum Severity: Sendable { case error, warning }
    package let severity: Severity
    package let error: WireError

    package init(severity: Severity, error: WireError) {
      self.severity = severity
      self.error = error
    }
  }

  /// Compares all files with each other. Each by itself has been read already.
  package static func findings(
    main: MainConfig, networks: [(file: String, network: Network)]
  ) -> [Finding] {
    var result: [Finding] = []
    for (index, (file, network)) in networks.enumerated() {
      for (otherFile, other) in networks[..<index] { result += compare((file, network), (otherFile, other)) }
    }
    let names = networks.map(\.network.name)
    // A network `default` that no file describes is made by wirehook itself.
    if main.defaultNetwork != "default", !names.contains(main.defaultNetwork) {
      result.append(
        finding(
          .error, "default_network \(main.defaultNetwork.quoted)", "no file in networks.d describes this network",
          hint: Spelling.nearest(to: main.defaultNetwork, in: names).map { "did you mean \($0.quoted)?" }))
    }
    for name in main.policy.networks ?? []
    where !name.contains("*") && !name.contains(":") && name != "default" && !names.contains(name) {
      result.append(finding(.warning, "policy.networks \(name.quoted)", "no file in networks.d describes this network"))
    }
    return result
  }

  private static func compare(_ one: (file: String, network: Network), _ other: (file: String, network: Network))
    -> [Finding]
  {
    let (network, earlier) = (one.network, other.network)
    if network.name == earlier.name {
      return [
        finding(
          .error, "\(one.file): name \(network.name.quoted)", "\(other.file) describes a network of this name too")
      ]
    }
    var result: [Finding] = []
    if network.bridge == earlier.bridge, network.managed != earlier.managed {
      result.append(
        finding(
          .error, "\(one.file): managed \(network.managed)",
          "\(other.file) has the same bridge \(network.bridge) with the opposite"))
    }
    // Of two LANs that are not ours, each may well have the same private addresses.
    let severity = network.managed && earlier.managed ? Finding.Severity.error : .warning
    for (index, subnet) in network.subnets.enumerated() {
      for taken in earlier.subnets where taken.prefix.overlaps(subnet.prefix) {
        let place = network.bridge == earlier.bridge ? ", on the same bridge \(network.bridge)" : ""
        result.append(
          finding(
            severity, "\(one.file): subnets[\(index)].subnet \"\(subnet.prefix)\"",
            "it overlaps \(taken.prefix) of \(other.file)\(place)"))
      }
    }
    return result
  }

  private static func finding(_ severity: Finding.Severity, _ what: String, _ why: String, hint: String? = nil)
    -> Finding
  {
    Finding(severity: severity, error: WireError(what, why, hint: hint))
  }
}
