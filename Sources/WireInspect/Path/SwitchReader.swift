import WireConfig
import WireCore
import WireEngine
import WireLinux
import WireOVSDB
import WirePlan

/// Open vSwitch on this host: its ports by its databases, and what it does with a frame by the daemon itself.
final class SwitchReader {
  private(set) var ports: [String: SwitchPortFacts] = [:]
  private(set) var silent: [DatabaseAddress: String] = [:]

  private static let tracked = 8
  /// Milliseconds.
  private static let patience = 3000

  private let deadline: Deadline
  private var names: [DatabaseAddress: [String: [Int64: String]]] = [:]
  private var daemons: [DatabaseAddress: SwitchDaemon] = [:]
  private var failures: [DatabaseAddress: OVSDBError] = [:]

  /// The databases that networks and containers name, and the main file's where it is there.
  init(
    _ configuration: Configuration, _ setups: [NetworkSetup], _ containers: [WiredContainer], until deadline: Deadline
  ) {
    self.deadline = deadline
    var databases = Set(setups.compactMap { $0.database })
    databases.formUnion(containers.flatMap { $0.attachment.interfaces.compactMap { $0.switchPort?.database } })
    if case .unix(let path) = configuration.main.ovsDatabase, Files.exists(path) {
      databases.insert(configuration.main.ovsDatabase)
    }
    for database in databases.sorted(by: { $0.description < $1.description }) {
      do throws(OVSDBError) { try read(database) } catch { silent[database] = "\(error)" }
    }
  }

  private func read(_ database: DatabaseAddress) throws(OVSDBError) {
    // Only for a command to show: whoever needs it says what is wrong.
    let control = try? SwitchDaemon.socket(of: database)
    for attached in try OpenVSwitch(database, until: deadline).ports(until: deadline) {
      for interface in attached.interfaces {
        var port = SwitchPortFacts(bridge: attached.bridge, vlan: attached.port.vlan, in: database)
        port.number = interface.ofport.flatMap { $0 > 0 ? $0 : nil }
        port.error = interface.error
        if !port.isStandard { port.control = control }
        ports[interface.name] = port
        if let number = port.number {
          names[database, default: [:]][attached.bridge, default: [:]][number] = interface.name
        }
      }
    }
  }

  /// A daemon that hangs is waited for once, and not for as long as everything else may take.
  private func run(_ command: String, _ words: [String], of database: DatabaseAddress) throws(OVSDBError) -> String {
    if let failure = failures[database] { throw failure }
    let deadline = min(deadline, .after(milliseconds: Self.patience))
    do throws(OVSDBError) {
      let daemon = if let known = daemons[database] { known } else { try SwitchDaemon(of: database, until: deadline) }
      daemons[database] = daemon
      return try daemon.run(command, words, until: deadline)
    } catch {
      if case .rejected = error.kind { throw error }
      failures[database] = error
      throw error
    }
  }

  func trace(_ frame: SwitchFrame) -> SwitchAnswer<SwitchTrace> {
    guard let port = ports[frame.port], let number = port.number else {
      return .silent("\(frame.port) is no port of it")
    }
    // Each flow that asks connection tracking takes one of these; without them every packet would open a connection.
    let tracked = frame.packet.isAnswer ? (0..<Self.tracked).flatMap { _ in ["--ct-next", "trk,est,rpl"] } : []
    let words = ["--names"] + tracked + [frame.bridge, frame.flow(enteringBy: number)]
    do throws(OVSDBError) {
      return .said(SwitchTrace(try run("ofproto/trace", words, of: port.database)))
    } catch {
      return .silent("\(error)")
    }
  }

  /// Reads ` 2  0  02:42:64:01:01:06  3`: port, VLAN, MAC, age.
  func learned(_ mac: MACAddress, on bridge: String, vlan: UInt16?) -> SwitchAnswer<LearnedMAC?> {
    guard let database = ports[bridge]?.database else { return .silent("there is no bridge \(bridge)") }
    let text: String
    do throws(OVSDBError) { text = try run("fdb/show", [bridge], of: database) } catch { return .silent("\(error)") }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 3, MACAddress(words[2]) == mac, let tag = DecimalNumber.parse(words[1], upTo: 4095),
        vlan == nil || tag == UInt64(vlan ?? 0)
      else { continue }
      let number = DecimalNumber.parse(words[0], upTo: 65_535).flatMap { names[database]?[bridge]?[Int64($0)] }
      return .said(LearnedMAC(behind: words[0] == "LOCAL" ? bridge : number ?? "port \(words[0])", vlan: UInt16(tag)))
    }
    return .said(nil)
  }
}
