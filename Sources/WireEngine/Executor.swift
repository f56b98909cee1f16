package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
package import WirePlan

/// Makes a plan's steps true, in their order: one batch of requests for each place.
package struct Executor: ~Copyable {
  /// The indices of the Linux bridges that the steps name.
  let links: [InterfaceName: UInt32]
  /// Its processes run already: nothing of the container's is brought up before all of the host's stands that judges what it
  /// sends.
  let isInhabited: Bool
  /// The step that is made to fail, for tests: its place then gets a request that the kernel refuses.
  let failAt: Int?

  package init(links: [InterfaceName: UInt32], isInhabited: Bool, failAt: Int? = nil) {
    self.links = links
    self.isInhabited = isInhabited
    self.failAt = failAt
  }

  /// Applies all steps. Whoever gets an error takes back what was applied (`Undo`): the kernel goes on with the rest of
  /// a batch after a request that it refuses.
  package borrowing func apply(
    _ steps: [Step], of container: ContainerIdentity, on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    func part(_ place: Step.Place) -> [NumberedStep] {
      var part: [NumberedStep] = []
      for index in steps.indices where steps[index].place == place {
        part.append(NumberedStep(index: index, step: steps[index]))
      }
      return part
    }
    let what = "attaching \((container.name ?? container.id).quoted)"
    try HostLinks(what: what, links: links, failAt: failAt).make(part(.host), on: host, in: side)
    // ovs-vswitchd works on them while the rest is made.
    let ports = try SwitchPorts(part(.switch), what, failAt: failAt, on: host)
    try Shaping(what: what, failAt: failAt).apply(part(.shaping), on: host)
    try firewall(part(.firewall), what, on: host)
    let inside = InsideContainer(what: what, failAt: failAt)
    try inside.set(part(.settings), on: host, in: side)
    if isInhabited { try ports.settle(on: host) }
    try inside.configure(part(.container), on: host, in: side)
    try FileEditor.apply(part(.files), what, failAt: failAt, log: host.log)
    if !isInhabited { try ports.settle(on: host) }
  }

  private borrowing func firewall(
    _ steps: [NumberedStep], _ what: String, on host: borrowing Host
  ) throws(WireError) {
    guard !steps.isEmpty else { return }
    if let failAt, steps.contains(where: { $0.index == failAt }) {
      throw WireError(what, "step \(failAt) was told to fail")
    }
    let firewall = try Firewall()
    try firewall.add(FirewallPart(steps.map { $0.step }), on: host)
    try Flows.forget(steps.map { $0.step }, until: host.deadline)
  }
}

/// A step with its place in the plan.
struct NumberedStep {
  let index: Int
  let step: Step
}

/// Connections that the kernel remembers of published UDP ports.
enum Flows {
  /// Forgets those of every `.forgetFlows` among the steps.
  static func forget(_ steps: [Step], until deadline: Deadline) throws(WireError) {
    let mappings = steps.compactMap { step -> PortMapping? in
      guard case .forgetFlows(let mapping) = step else { return nil }
      return mapping
    }
    guard !mappings.isEmpty else { return }
    let what = "forgetting connections of published ports"
    let socket: NetlinkSocket
    do throws(SystemError) { socket = try NetlinkSocket(.netfilter) } catch { throw Hints.explain(error, while: what) }
    for mapping in mappings {
      for family in mapping.hostAddress.map({ [$0.family] }) ?? Family.allCases {
        do throws(NetlinkError) {
          try socket.forgetConnections(
            mapping.transport, family, to: mapping.hostAddress, mapping.hostPort, until: deadline)
        } catch {
          throw Hints.explain(error, while: what)
        }
      }
    }
  }
}
