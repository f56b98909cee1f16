package import WireCore
package import WireLinux
package import WireNFTables

/// What other firewalls do with the packets of one connection.
package enum FlowJudgement {
  /// One packet at one hook.
  package struct Flow: Sendable, Hashable {
    package var family: Family
    package var hook: FilterChain.Hook
    /// Name and index of the links that it comes in and goes out by; nil: none.
    package var input: Interface?
    package var output: Interface?
    package var isAnswer = false
    package var isTranslated = false
    /// The number of its protocol, and the port that it goes to where it has one.
    package var transport: UInt8
    package var port: UInt16?

    package init(_ family: Family, at hook: FilterChain.Hook, transport: UInt8, port: UInt16?) {
      self.family = family
      self.hook = hook
      self.transport = transport
      self.port = port
    }
  }

  package struct Interface: Sendable, Hashable {
    package var name: String
    package var index: UInt32
    package init(name: String, index: UInt32) {
      self.name = name
      self.index = index
    }
  }

  /// Everybody's tables at any hook of the namespace that this thread is in, but ours.
  package static func tables(until deadline: Deadline) throws(WireError) -> [FilterTable] {
    try ForeignFirewalls.read([.prerouting, .input, .forward, .output, .postrouting], until: deadline)
  }

  /// The chains that drop it, those that do for certain first; `link`: the one that a command is to admit.
  package static func drops(_ flow: Flow, admitting link: InterfaceName, in tables: [FilterTable]) -> [ForeignDrop] {
    var traveller = Traveller(family: flow.family, hook: flow.hook, transport: flow.transport, port: flow.port)
    traveller.isAnswer = flow.isAnswer
    traveller.isTranslated = flow.isTranslated
    if let input = flow.input { traveller.input = .named(input.name, index: input.index) }
    if let output = flow.output { traveller.output = .named(output.name, index: output.index) }
    let direction: ForeignDrop.Direction = flow.output?.name == link.description ? .toBridge : .fromBridge
    var found: [ForeignDrop] = []
    for table in tables where table.kind != .bridge && table.kind.sees(flow.family) {
      for base in table.chains where base.hook == flow.hook {
        switch Traversal.result(of: traveller, at: base, in: table) {
        case .passes: break
        case .drops(let place):
          found += ForeignDrop.all(
            link, table, base, [ForeignDrop.End(place: place, isCertain: true, direction: direction)])
        case .mayDrop(let place):
          found += ForeignDrop.all(
            link, table, base, [ForeignDrop.End(place: place, isCertain: false, direction: direction)])
        }
      }
    }
    return found.sorted { $0.isCertain && !$1.isCertain }
  }
}
