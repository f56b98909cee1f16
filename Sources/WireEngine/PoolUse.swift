import WireConfig
package import WireCore
import WirePlan
import WireState

/// How much of one subnet's pool is given out.
package struct PoolUse: Sendable {
  package var network: String
  package var subnet: Prefix
  /// How many addresses the pool gives.
  package var capacity: UInt128
  /// How many of them containers have.
  package var used: Int

  /// The pools of all configured networks, and of the default network where it stands without a file.
  package static func all(
    _ configuration: Configuration, _ containers: [WiredContainer]
  ) throws(WireError) -> [PoolUse] {
    var uses: [PoolUse] = []
    let names = try configuration.networkNames()
    for name in names {
      guard let network = try configuration.network(named: name) else { continue }
      uses += network.subnets.map { PoolUse(name, AddressPool($0), containers) }
    }
    let markers = try Inventory.read(configuration) { (store) throws(StateError) in try store.markers() } ?? []
    for marker in markers where marker.name == DefaultNetwork.name && !names.contains(marker.name) {
      let subnets = try Records.network(marker).subnets
      uses += subnets.map { PoolUse(marker.name, AddressPool(Subnet(managed: $0)), containers) }
    }
    return uses
  }

  private init(_ network: String, _ pool: AddressPool, _ containers: [WiredContainer]) {
    self.network = network
    subnet = pool.subnet.prefix
    capacity = pool.capacity
    let interfaces = containers.flatMap { $0.attachment.interfaces }.filter { $0.network == network }
    used = interfaces.reduce(0) { $0 + $1.addresses.count { pool.gives($0.address) } }
  }
}

extension AddressPool {
  /// How many addresses it gives: those between its bounds less those that it avoids, each counted once.
  var capacity: UInt128 {
    let size = last.value - first.value
    // A pool of all IPv6 addresses would have one too many to count.
    let total = size == .max ? size : size + 1
    let reserved = [subnet.prefix.first, subnet.prefix.last].filter { Self.isReserved($0, in: subnet.prefix) }
    var singles = Set(reserved + [subnet.gateway].compactMap { $0 })
    singles = singles.filter { single in !subnet.exclude.contains { $0.contains(single) } }
    var avoided = UInt128(singles.count { first <= $0 && $0 <= last })
    var next = first
    for range in subnet.exclude.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      let (low, high) = (max(range.lowerBound, next), min(range.upperBound, last))
      guard low <= high else { continue }
      avoided += high.value - low.value + 1
      guard let after = high.next else { break }
      next = after
    }
    return total - min(avoided, total)
  }
}
