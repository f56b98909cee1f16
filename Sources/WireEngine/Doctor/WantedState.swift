import WireConfig
import WireCore
import WireLinux
import WirePlan
import WireState

/// What a host is meant to be: its files, and what is recorded.
struct WantedState: Sendable {
  let configuration: Configuration
  /// Those of files.
  let networks: [Network]
  /// Those of files and those that stand, each once.
  let setups: [NetworkSetup]
  let containers: [WiredContainer]

  /// The networks that firewalls will see: where there is none yet, the one that the first container brings.
  var expected: [NetworkSetup] {
    guard setups.isEmpty, let ipv6 = try? NetworkChoice.hasIPv6(),
      let subnets = DefaultNetwork.subnets(avoiding: [], machineID: "", ipv6: ipv6),
      let network = try? Network.standard(subnets: subnets)
    else { return setups }
    return [NetworkSetup(network, ipv6: ipv6)]
  }

  /// What of it cannot be read is found, and done without.
  init(option: String?, environment: String?, _ findings: inout [Doctor.Finding]) {
    var configuration = Configuration(main: .standard, path: Configuration.standardPath)
    var networks: [Network] = []
    var setups: [NetworkSetup] = []
    var containers: [WiredContainer] = []
    let read = Doctor.attempt { () throws(WireError) in
      configuration = try Configuration.load(option: option, environment: environment)
      let report = try ConfigurationReport(configuration)
      networks = report.networks
      let ipv6 = try NetworkChoice.hasIPv6()
      setups = networks.map { NetworkSetup($0, ipv6: ipv6) }
      guard !report.findings.isEmpty else {
        let names = networks.isEmpty ? "the network default" : networks.map(\.name).joined(separator: ", ")
        let file = Files.exists(configuration.path) ? configuration.path : "no \(configuration.path)"
        return [Doctor.Finding(.ok, "configuration", "\(file); networks: \(names)")]
      }
      return report.findings.map { finding in
        Doctor.Finding(
          finding.severity == .error ? .error : .warning, finding.error.what, finding.error.why, finding.error.hint)
      }
    }
    findings += read.map { finding in
      let remedy = finding.remedy ?? (finding.severity == .ok ? nil : "mend the file, then wirehook config check")
      return Doctor.Finding(finding.severity, finding.what, finding.why, remedy)
    }
    findings += Doctor.attempt { () throws(WireError) in
      for setup in try Inventory.networks(configuration) where !setups.contains(where: { $0.network == setup.network })
      {
        setups.append(setup)
      }
      containers = try Inventory.all(configuration).filter { $0.status == .attached }
      return []
    }
    self.configuration = configuration
    self.networks = networks
    self.setups = setups
    self.containers = containers
  }
}

extension Inventory {
  /// The networks that stand.
  static func networks(_ configuration: Configuration) throws(WireError) -> [NetworkSetup] {
    let markers = try read(configuration) { (store) throws(StateError) in try store.markers() } ?? []
    var networks: [NetworkSetup] = []
    for marker in markers where marker.bridgeIndex != 0 { networks.append(try Records.network(marker)) }
    return networks
  }
}
