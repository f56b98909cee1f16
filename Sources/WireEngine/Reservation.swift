internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WirePlan
import WireState

/// Decides and records, in one transaction, what an attach will do. Nothing in the kernel has changed when it returns.
struct Reservation: ~Copyable {
  let container: ContainerIdentity
  let bundle: String
  let process: ProcessIdentity
  let netns: NamespaceIdentity
  /// Plans the container's /etc/hosts and /etc/resolv.conf.
  let names: NamePlanner?
  /// What a container that runs already has of networks.
  var surroundings: Surroundings?

  /// How often a plan is made anew because a container that is gone held what it needed.
  private static let attempts = 64

  borrowing func make(
    _ chosen: NetworkChoice.Chosen, on host: borrowing Host
  ) throws(WireError) -> Attachment {
    var chosen = chosen
    var failures = 0
    while failures < Self.attempts {
      do throws(PlanFailure) {
        let attachment = try attempt(chosen, on: host)
        if try isOnlyOurs(attachment, &chosen, on: host) { return attachment }
      } catch {
        failures += 1
        switch error {
        case .refused(let error): throw error
        case .taken(let holder, let error):
          guard holder != container.id, try Collector.releaseIfGone(holder, on: host) else { throw error }
        case .exhausted(_, let error):
          guard try !Collector.releaseAllGone(on: host, except: container.id).isEmpty else { throw error }
        }
      }
    }
    throw WireError(
      "attaching \(container.id.quoted)", "what it needs was taken by others \(Self.attempts) times in a row",
      hint: "run: wirehook gc")
  }

  private borrowing func attempt(
    _ chosen: NetworkChoice.Chosen, on host: borrowing Host
  ) throws(PlanFailure) -> Attachment {
    do throws(WireError) { try host.locks.lock(.store, until: host.deadline) } catch { throw .refused(error) }
    defer { host.locks.unlock(.store) }
    return try host.store.transaction(failure: { .refused(Hints.explain($0)) }) { () throws(PlanFailure) in
      // What is added to a container stands in the record that it has.
      if surroundings?.attachment == nil {
        do throws(StateError) { try host.store.record(record) } catch { throw .refused(Hints.explain(error)) }
      }
      let planner = Planner<Store, HostPortProbe>(container: container, host: chosen.facts, life: process.startTime)
      var attachment = try planner.plan(
        chosen.requests, publishOn: host.main.publishOn, book: host.store,
        hostPorts: HostPortProbe(deadline: host.deadline))
      do throws(WireError) { attachment.files = try names?.plan(for: attachment) ?? [] } catch { throw .refused(error) }
      for shaper in attachment.interfaces.compactMap({ $0.shaper }) {
        _ = try host.store.claimLink(shaper, for: container.id)
      }
      if let surroundings { try surroundings.fit(&attachment) }
      let document = Records.document(surroundings?.merged(attachment) ?? attachment)
      do throws(StateError) {
        try host.store.setDocument(document, of: container.id)
      } catch {
        throw .refused(Hints.explain(error))
      }
      return attachment
    }
  }

  /// Asks on the wire for the addresses, where the network wants it. Where somebody has one, nothing is reserved any more,
  /// and the facts say so for the next plan. It is reserved first: nobody waits for this one's question.
  private borrowing func isOnlyOurs(
    _ attachment: Attachment, _ chosen: inout NetworkChoice.Chosen, on host: borrowing Host
  ) throws(PlanFailure) -> Bool {
    guard chosen.requests.contains(where: { $0.facts.network.probe }) else { return true }
    do throws(WireError) {
      let isOurs: Bool
      do throws(WireError) {
        isOurs = try !WireProbe.findsHolder(of: attachment, &chosen, on: host)
      } catch {
        try giveBack(attachment, on: host)
        throw error
      }
      if !isOurs { try giveBack(attachment, on: host) }
      return isOurs
    } catch {
      throw .refused(error)
    }
  }

  private borrowing func giveBack(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    if let surroundings, let before = surroundings.attachment {
      return try LiveRecord.set(before, insteadOf: surroundings.merged(attachment), on: host)
    }
    try host.change { () throws(StateError) in _ = try host.store.removeContainer(id: container.id) }
  }

  private var record: ContainerRecord {
    ContainerRecord(
      id: container.id, name: container.name, bundle: bundle,
      runtime: surroundings == nil ? ProcessIdentity.name(ofPid: getppid()) ?? "" : "wirehook attach",
      pid: process.pid, pidStart: process.startTime, netns: netns,
      status: .attaching,
      created: Int64(time(nil)), document: "")
  }
}
