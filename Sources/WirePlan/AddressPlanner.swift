import WireConfig
import WireCore

/// Decides the addresses of one interface: those asked for, and one from a pool for each other family of the network.
struct AddressPlanner {
  let container: ContainerIdentity
  let request: InterfaceRequest
  let facts: NetworkFacts
  let host: HostFacts

  private var segment: String { facts.segment(request.vlan) }

  func plan(_ book: borrowing some ClaimBook & ~Copyable) throws(PlanFailure) -> [Prefix] {
    var addresses: [Prefix] = []
    switch request.addresses {
    case .none: return []
    case .pool: break
    case .given(let given):
      for address in given {
        let prefix = try check(address)
        try book.claimAddress(prefix.address, segment: segment, interface: request.name, for: container)
        addresses.append(prefix)
      }
    }
    for family in Family.allCases where !addresses.contains(where: { $0.family == family }) {
      guard family == .ipv4 || host.ipv6 else { continue }
      let pools = facts.network.subnets.filter { $0.prefix.family == family }.map { AddressPool($0) }
      guard !pools.isEmpty else { continue }
      addresses.append(try fromPool(pools, family, book))
    }
    guard !addresses.isEmpty else { throw .refused(noAddress) }
    return addresses.filter { $0.family == .ipv4 } + addresses.filter { $0.family == .ipv6 }
  }

  private var noAddress: WireError {
    WireError(
      "giving \(request.name) an address on \(facts.network.name)", "the network has no pool and none was asked for",
      hint: "set wirehook.ip to ADDRESS/LENGTH, or to none")
  }

  /// The address that the owner had before, where a pool still has it; else the pools' next, in their order.
  private func fromPool(
    _ pools: [AddressPool], _ family: Family, _ book: borrowing some ClaimBook & ~Copyable
  ) throws(PlanFailure) -> Prefix {
    let before = try book.addressBefore(
      segment: segment, owner: container.owner, interface: request.name, family: family)
    if let before, facts.occupied[before] == nil, let pool = pools.first(where: { $0.gives(before) }) {
      return try claim(before, of: pool, book)
    }
    for pool in pools {
      let next = try book.nextAddress(
        segment: segment, from: pool.first, to: pool.last, avoiding: { pool.avoids($0) || facts.occupied[$0] != nil })
      if let next { return try claim(next, of: pool, book) }
    }
    throw exhausted(pools)
  }

  private func claim(
    _ address: IPAddress, of pool: AddressPool, _ book: borrowing some ClaimBook & ~Copyable
  ) throws(PlanFailure) -> Prefix {
    try book.claimAddress(address, segment: segment, interface: request.name, for: container)
    return pool.prefix(of: address)
  }

  private func exhausted(_ pools: [AddressPool]) -> PlanFailure {
    .exhausted(
      segment: segment,
      WireError(
        "giving \(request.name) an address on network \(facts.network.name)",
        "all of \(pools.map { $0.description }.joined(separator: ", ")) is taken"
          + (facts.occupied.isEmpty ? "" : ", some by other machines on bridge \(facts.network.bridge)"),
        hint: "widen the subnet's range, or run: wirehook gc"))
  }

  /// A given address, with its prefix length, where it can stand on this network.
  private func check(_ given: RequestedAddress) throws(PlanFailure) -> Prefix {
    func refuse(_ why: String, _ hint: String? = nil) -> PlanFailure {
      .refused(WireError("annotation wirehook.ip \"\(given.address)\"", why, hint: hint))
    }
    let address = given.address
    guard !address.isAny, !address.isLoopback, !address.isMulticast else { throw refuse("no host can have it") }
    guard address.family == .ipv4 || host.ipv6 else {
      throw refuse("IPv6 is switched off on this host", "sysctl net.ipv6.conf.all.disable_ipv6=0")
    }
    let subnets = facts.network.subnets.filter { $0.prefix.family == address.family }
    let subnet = subnets.first { $0.prefix.contains(address) }
    if subnet == nil, !subnets.isEmpty {
      throw refuse(
        "it lies outside network \(facts.network.name)",
        "take one of \(subnets.map { $0.prefix.description }.joined(separator: ", "))")
    }
    if facts.network.managed, subnets.isEmpty {
      throw refuse("network \(facts.network.name) has no \(address.family.name) subnet")
    }
    if subnet?.gateway == address { throw refuse("it is the gateway of network \(facts.network.name)") }
    if facts.bridgeAddresses.contains(where: { $0.address == address }) {
      throw refuse("bridge \(facts.network.bridge) has it")
    }
    if facts.hostAddresses.contains(address) { throw refuse("this host has it") }
    if let mac = facts.occupied[address] {
      throw refuse(
        "another machine on bridge \(facts.network.bridge) has it, with the MAC address \(mac)",
        "take another one, or stop that machine")
    }
    guard let length = given.length ?? subnet?.prefix.length, let prefix = Prefix(address, length) else {
      throw refuse("the network says no prefix length", "write it as ADDRESS/LENGTH")
    }
    if AddressPool.isReserved(address, in: prefix)
      || subnet.map({ AddressPool.isReserved(address, in: $0.prefix) }) ?? false
    {
      throw refuse("it is the network or broadcast address of \(prefix.network)")
    }
    return prefix
  }
}
