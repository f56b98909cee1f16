package import WireConfig
package import WireCore

/// What `wirehook config check` finds: each file by itself, and all of them together.
package struct ConfigurationReport: Sendable {
  package let path: String
  package private(set) var networks: [Network] = []
  package private(set) var findings: [ConfigurationCheck.Finding] = []

  package init(_ configuration: Configuration) throws(WireError) {
    path = configuration.path
    var read: [(file: String, network: Network)] = []
    for name in try configuration.networkNames() {
      do throws(WireError) {
        if let network = try configuration.network(named: name) { read.append(("networks.d/\(name).json", network)) }
      } catch {
        findings.append(ConfigurationCheck.Finding(severity: .error, error: error))
      }
    }
    networks = read.map { $0.network }
    findings += ConfigurationCheck.findings(main: configuration.main, networks: read)
  }
}
