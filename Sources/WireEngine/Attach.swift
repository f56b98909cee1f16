import WireConfig
package import WireCore
package import WireLinux
import WireNetlink
package import WireOCI
import WirePlan
import WireState

/// Gives a container its network: the whole story of one attach, in order.
package enum Attach {
  /// Attaches the container, or leaves it alone where it is not ours. All of it stands when this returns; after an error
  /// nothing of it does. For tests, the step number `failAt` of the plan is made to fail.
  package static func run(
    _ state: ContainerState, _ configuration: Configuration, log: Log, deadline: Deadline, failAt: Int? = nil
  ) throws(WireError) {
    let bundle = try Intake.bundle(of: state)
    guard let engine = try Intake.engine(of: state, bundle, policy: configuration.main.policy, log: log),
      try isWired(Eligibility.byNetworkMode(engine.networkMode))
    else { return }
    let request = try Intake.request(state, bundle, labels: engine.labels)
    let verdict = Eligibility.byRequest(request, namespace: bundle?.networkNamespace, auto: configuration.main.auto)
    guard try isWired(verdict) else { return }
    try configuration.main.policy.judge(request)
    if request.interfaces.contains(where: { !$0.ports.isEmpty }) {
      try FirewalldSettings.admitPublishing(until: deadline)
    }

    let home = try Host.home()
    guard let namespace = try ContainerNamespace.open(pid: state.pid ?? 0, home: home.identity) else { return }
    let netns = namespace.identity
    let side = try ContainerSide(namespace, home: home)
    let host = try Host(configuration, namespace: home, deadline: deadline, log: log)
    try host.locks.lock(.container(state.id), until: deadline)
    let standing = try Standing.read(state.id, netns, on: host)
    if try standing.isAttached(netns, on: host) { return }

    let left = try standing.leftInside(netns)
    let facts = NamespaceFacts(
      links: try side.links(until: deadline).filter { !left.contains($0.name) },
      recordedFor: try standing.owner(besides: state.id, on: host))
    guard try isWired(Eligibility.byLinks(facts, request: request, container: state.id)) else { return }
    try standing.takeBackOwn(on: host)

    let chosen = try NetworkChoice.choose(request, standing, on: host)
    let container = ContainerIdentity(id: state.id, name: engine.name, engine: engine.reference)
    let names = bundle.map { bundle in
      NamePlanner(
        facts: NameFiles(state: state, bundle: bundle, engine: engine, log: log).facts(for: request.names),
        request: request.names, fallback: chosen.requests.flatMap { $0.facts.network.dnsServers })
    }
    let reservation = Reservation(
      container: container, bundle: state.bundle ?? "", process: side.process, netns: netns, names: names)
    let attachment: Attachment
    do throws(WireError) {
      attachment = try reservation.make(chosen, on: host)
    } catch {
      Outcome.forget(state.id, on: host)
      throw error
    }
    do throws(WireError) {
      try make(attachment, chosen, standing, failAt: failAt, on: host, in: side)
      try Outcome.complete(state.id, on: host)
    } catch {
      Outcome.cancel(attachment, on: host)
      throw error
    }
    Announcer.announce(attachment, on: host, in: side)
    log.write(.info, "attached container \(state.id): \(Self.summary(attachment))")
  }

  /// Makes what was planned and recorded: the networks that do not stand yet, then every step. Whoever gets an error takes
  /// back what was made. `isInhabited`: the container runs already.
  static func make(
    _ attachment: Attachment, _ chosen: NetworkChoice.Chosen, _ standing: Standing, isInhabited: Bool = false,
    failAt: Int? = nil, on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    let setups = NetworkSetup.needed(by: attachment, chosen.requests.map { $0.facts.network }, ipv6: chosen.facts.ipv6)
    let links = try NetworkInstaller.install(setups, chosen.links, standing, on: host)
    if attachment.container.engine?.kind == .docker { try NetworkInstaller.admitBesideDocker(setups, on: host) }
    let executor = Executor(links: links, isInhabited: isInhabited, failAt: failAt)
    try executor.apply(Step.all(of: attachment), of: attachment.container, on: host, in: side)
  }

  private static func isWired(_ verdict: Eligibility) throws(WireError) -> Bool {
    switch verdict {
    case .wire: return true
    case .leave: return false
    case .refuse(let error): throw error
    }
  }

  /// `eth0 10.210.0.2/16 on default, 8080:80/tcp`, for the log.
  static func summary(_ attachment: Attachment) -> String {
    let interfaces = attachment.interfaces.map { interface in
      ([interface.name.description] + interface.addresses.map { $0.description }).joined(separator: " ")
        + " on \(interface.network)"
    }
    return (interfaces + attachment.ports.map { $0.mapping.description }).joined(separator: ", ")
  }
}
