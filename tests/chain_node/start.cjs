// Runs a local Solana node until standard input ends; its addresses go to standard output as one line of JSON.
const { Surfnet } = require(process.argv[2]);
const node = Surfnet.startWithConfig({
  offline: true,
  blockProductionMode: "clock",
  slotTimeMs: Number(process.argv[3]),
});
process.stdout.write(JSON.stringify({ rpc: node.rpcUrl, ws: node.wsUrl, payer: Array.from(node.payerSecretKey) }) + "\n");
// It tells of each block and each transaction, and stands still for good once about a thousand of these events lie unread.
setInterval(() => node.drainEvents(), 20);
process.stdin.resume();
process.stdin.on("end", () => {
  node.stop();
  process.exit(0);
});
