internal import CNftnl
internal import Glibc
package import WireCore

/// The tables `inet wirehook` and `bridge wirehook` of the network namespace that the opening thread is in.
///
/// Deadlines are of CLOCK_MONOTONIC, in milliseconds. Every change is one transaction: all of it, or nothing.
package struct FirewallSocket: ~Copyable {
  let socket: NetfilterSocket

  /// Its number. Whoever closes the last one right after a removal waits for the kernel's grace period, some 15 ms: a
  /// process that should not wait leaves it to a child.
  package var descriptor: Int32 { socket.descriptor }

  package init() throws(NFTablesError) { socket = try NetfilterSocket() }

  /// Puts `elements` in, as `nft add element`. One that is there already, exactly so, is fine; where a map holds the key
  /// with other data, the data is replaced in the same transaction. An interval that overlaps another is refused (`.exists`).
  ///
  /// The same transaction guards `links`: the host's IP stack hears nothing of what comes in by them, but a packet socket
  /// does. They must be there (ENODEV).
  package borrowing func add(
    _ elements: [Element], guarding links: [InterfaceName] = [], deadline: Int64
  ) throws(NFTablesError) {
    guard !elements.isEmpty || !links.isEmpty else { return }
    // Asked before, because old kernels say of a link what they say of a table that is not there: ENOENT.
    if let gone = links.first(where: { !canGuard($0) }) { throw NFTablesError("guarding link \(gone)", code: ENODEV) }
    let request = "adding elements to table wirehook"
    do throws(NFTablesError) {
      return try change(adding: elements, guarding: links, for: request, deadline: deadline)
    } catch {
      // Other data under the same key: EEXIST, or EBUSY from old kernels. An overlap is EEXIST too.
      guard error.kind == .busy || error.kind == .exists else { throw error }
    }
    let ours = Set(elements)
    for attempt in 1... {
      let foreign = try current(elements.filter { $0.data != nil }, deadline: deadline).filter { !ours.contains($0) }
      do throws(NFTablesError) {
        return try change(deleting: foreign, adding: elements, guarding: links, for: request, deadline: deadline)
      } catch {
        // What was to be replaced has just gone, or something else has come: look again.
        guard attempt < Self.attempts, [.busy, .exists, .missing].contains(error.kind), !foreign.isEmpty else {
          throw error
        }
      }
    }
  }

  /// Takes `elements` out, as `nft destroy element`. What is gone already is fine, the whole table too; a key that a map
  /// holds with other data is somebody else's by now, and stays. The guards of `links`, which may be gone, go as well.
  ///
  /// The kernel frees removed elements after an RCU grace period, and closing this socket before that waits for it with
  /// the lock that every transaction of the namespace needs: about 12 ms. Who is in a hurry leaves the socket to a child
  /// that inherits it and closes it some 50 ms later.
  package borrowing func remove(
    _ elements: [Element], guarding links: [InterfaceName] = [], deadline: Int64
  ) throws(NFTablesError) {
    guard !elements.isEmpty || !links.isEmpty else { return }
    do throws(NFTablesError) {
      // Adding first makes the deletion find what it deletes, and makes the kernel refuse if the data is not ours.
      try change(
        adding: elements, guarding: links, thenDeleting: true, for: "removing elements of table wirehook",
        deadline: deadline)
    } catch {
      guard [.busy, .exists, .missing].contains(error.kind) else { throw error }
      if let table = elements.first?.set.table, elements.contains(where: { $0.set.table != table }) {
        // One table may be gone while the other stands.
        try remove(elements.filter { $0.set.table == .inet }, guarding: links, deadline: deadline)
        return try remove(elements.filter { $0.set.table == .bridge }, deadline: deadline)
      }
      let table = elements.first?.set.table ?? .inet
      if error.kind == .missing, try version(of: table, deadline: deadline) == nil { return }
      if !links.isEmpty {
        // Without elements there is nothing that somebody else could have.
        guard !elements.isEmpty else { throw error }
        try remove([], guarding: links, deadline: deadline)
        return try remove(elements, deadline: deadline)
      }
      // Some element is another's, or its set is gone: find out which, halving.
      guard elements.count > 1 else { return }
      let middle = elements.count / 2
      try remove(Array(elements[..<middle]), deadline: deadline)
      try remove(Array(elements[middle...]), deadline: deadline)
    }
  }

  /// How often something is tried again that another process came between.
  static let attempts = 8

  private borrowing func change(
    deleting old: [Element] = [], adding elements: [Element], guarding links: [InterfaceName],
    thenDeleting: Bool = false, for request: String, deadline: Int64
  ) throws(NFTablesError) {
    var buffer = MessageBuffer(
      capacity: MessageBuffer.capacity(elements: elements.count + old.count, times: thenDeleting ? 2 : 1)
        + links.count * MessageBuffer.guardRoom, firstSequence: socket.sequenceForBatch)
    buffer.beginTransaction()
    buffer.change(NFT_MSG_DELSETELEM, old)
    buffer.change(NFT_MSG_NEWSETELEM, elements)
    if thenDeleting { buffer.change(NFT_MSG_DELSETELEM, elements) }
    for link in links { if thenDeleting { buffer.removeGuard(link) } else { buffer.addGuard(link) } }
    try commit(&buffer, for: request, deadline: deadline)
  }
}

extension FirewallSocket {
  /// Ends the transaction, sends it, and waits for the acknowledgement of its last message but one, or the first error.
  borrowing func commit(_ buffer: inout MessageBuffer, for request: String, deadline: Int64) throws(NFTablesError) {
    buffer.acknowledge()
    let acknowledged = buffer.lastSequence
    let first = acknowledged &- buffer.messageCount &+ 1
    buffer.commit()
    guard !buffer.overflowed else { throw NFTablesError(request, code: EMSGSIZE) }
    try socket.send(buffer.bytes, for: request)
    var outcome: Outcome?
    try socket.replies(for: request, deadline: deadline) { reply in
      // What an earlier request left unread, after its deadline, is not ours.
      guard reply.isError, reply.sequence &- first <= acknowledged &- first &+ 1 else { return true }
      let code = reply.code
      // The first error is the cause: what follows may follow from it.
      if outcome == nil || outcome?.code == 0 { outcome = Outcome(code: code, extack: reply.extack) }
      return false
    }
    guard let outcome, outcome.code != 0 else { return }
    socket.drain()
    throw NFTablesError(request, code: outcome.code, extack: outcome.extack)
  }

  private struct Outcome {
    let code: Int32
    let extack: String?
  }
}

extension NetfilterSocket {
  /// A batch takes as many numbers as it has messages; they need not follow those of the batch before.
  var sequenceForBatch: UInt32 { takeSequence(1 << 16) }

  /// Hands the kernel's messages to `body` until it returns false, which it should for the last one awaited.
  borrowing func replies(
    for request: String, deadline: Int64, _ body: (Reply) -> Bool
  ) throws(NFTablesError) {
    // The kernel fills datagrams of a dump up to 32 KiB, if a read of that size has been seen.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var wantsMore = true
    while wantsMore {
      let count = try receive(into: buffer, for: request, deadline: deadline)
      Reply.forEach(in: UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
        if wantsMore { wantsMore = body($0) }
      }
    }
  }

  /// Drops what is queued.
  borrowing func drain() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { buffer.deallocate() }
    // Without time to wait: ends at the first read that finds nothing.
    while (try? receive(into: buffer, for: "", deadline: 0)) != nil {}
  }
}
