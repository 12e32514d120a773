/** Invented trainings of a workload: a workflow, runs that went through it, and the releases they made. */

import type { ModelDetail, Release, Run, RunDetail, RunState } from "../src/api/shapes";
import { chance, iso, LIVE_RUN } from "./world.ts";

const DAY = 86_400;

/** Name, kind, seconds, and what may follow: the usual next one first. */
const WORKFLOW: readonly [string, string, number, string[]][] = [
  ["OpenRun", "Pass", 0, ["ValidateInput"]],
  ["ValidateInput", "Task", 3, ["SourcesPresent?", "CleanUp"]],
  ["SourcesPresent?", "Choice", 0, ["PrepareData", "PrepareHistory"]],
  ["CleanUp", "Task", 4, ["NotifyFailed"]],
  ["PrepareData", "Task", 62, ["TrainPreprocessor", "CleanUp"]],
  ["PrepareHistory", "Task", 48, ["TrainPreprocessor", "CleanUp"]],
  ["NotifyFailed", "Task", 1, ["Failed"]],
  ["TrainPreprocessor", "Task", 171, ["TransformTrainingRows", "CleanUp"]],
  ["Failed", "Fail", 0, []],
  ["TransformTrainingRows", "Task", 214, ["TrainDetector", "CleanUp"]],
  ["TrainDetector", "Task", 388, ["ScoreHoldback", "CleanUp"]],
  ["ScoreHoldback", "Task", 190, ["ChampionExists?", "CleanUp"]],
  ["ChampionExists?", "Choice", 0, ["ScoreChampion", "Evaluate"]],
  ["ScoreChampion", "Task", 188, ["EvaluateAgainstChampion", "CleanUp"]],
  ["Evaluate", "Task", 60, ["DecidePromotion", "CleanUp"]],
  ["EvaluateAgainstChampion", "Task", 66, ["DecidePromotion", "CleanUp"]],
  ["DecidePromotion", "Task", 2, ["Approved?", "CleanUp"]],
  ["Approved?", "Choice", 0, ["RegisterModelPackage", "CleanUpRejected"]],
  ["RegisterModelPackage", "Task", 2, ["CreateEndpoint", "CleanUp"]],
  ["CleanUpRejected", "Task", 3, ["NotifyRejected", "CleanUp"]],
  ["NotifyRejected", "Task", 1, ["Rejected"]],
  ["CreateEndpoint", "Task", 2, ["WaitForEndpoint", "CleanUp"]],
  ["Rejected", "Succeed", 0, []],
  ["WaitForEndpoint", "Wait", 30, ["DescribeEndpoint"]],
  ["DescribeEndpoint", "Task", 1, ["EndpointSettled?", "CleanUp"]],
  ["EndpointSettled?", "Choice", 0, ["SmokeTest", "WaitForEndpoint", "CleanUp"]],
  ["SmokeTest", "Task", 3, ["PublishRelease", "CleanUp"]],
  ["PublishRelease", "Task", 1, ["Deployed", "CleanUp"]],
  ["Deployed", "Succeed", 0, []],
];

const TO_GATE = ["OpenRun", "ValidateInput", "SourcesPresent?", "PrepareHistory", "TrainPreprocessor", "TransformTrainingRows", "TrainDetector", "ScoreHoldback", "ChampionExists?", "ScoreChampion", "EvaluateAgainstChampion", "DecidePromotion", "Approved?"];
const WAYS: Record<Run["status"], string[]> = {
  succeeded: [...TO_GATE, "RegisterModelPackage", "CreateEndpoint", "WaitForEndpoint", "DescribeEndpoint", "EndpointSettled?", "SmokeTest", "PublishRelease", "Deployed"],
  rejected: [...TO_GATE, "CleanUpRejected", "NotifyRejected", "Rejected"],
  failed: ["OpenRun", "ValidateInput", "SourcesPresent?", "PrepareHistory", "CleanUp", "NotifyFailed", "Failed"],
  running: TO_GATE.slice(0, 7),
  stopped: TO_GATE.slice(0, 6),
};
const CAUSE = "The history has 212 rows of co|LOCATION_ID=D-220; a training needs 2,016 (one week). Upload more, or leave this series out by `exclude`.";

export class Trainings {
  readonly #runs: RunDetail[];
  #live: string;
  readonly #verdicts = new Map<number, { approval: ModelDetail["approval"]; said: string }>([[1, { approval: "rejected", said: "rejected by ann: it was trained without B-207" }]]);

  constructor(
    private readonly now: number,
    workload: string,
  ) {
    const statuses: Run["status"][] = ["running", "succeeded", "failed", "rejected", "succeeded", "stopped", "succeeded", "succeeded"];
    this.#runs = statuses.map((status, index) => this.#run(workload, status, index === 0 ? now - 640 : Math.floor(now - (2.2 + 7 * (index - 1)) * DAY), index % 3 ? "schedule" : "asked for in the console"));
    // the one that judges everywhere in the invented plant
    this.#live = this.#runs.find((one) => one.status === "succeeded")!.run_id = LIVE_RUN;
  }

  list(from: number, most: number): { items: Run[]; next: string | null } {
    const items = this.#runs.slice(from, from + most).map(({ run_id, execution, status, reason, started_at, ended_at, model, gate }) => ({ run_id, execution, status, reason, started_at, ended_at, model, gate }));
    return { items, next: from + most < this.#runs.length ? String(from + most) : null };
  }

  one(id: string): RunDetail | undefined {
    return this.#runs.find((run) => run.run_id === id);
  }

  start(workload: string, reason: string): RunDetail {
    const run = this.#run(workload, "running", this.now - 5, reason);
    this.#runs.unshift(run);
    return run;
  }

  releases(): { items: Release[]; next: null } {
    const items = this.#runs
      .filter((run) => run.status === "succeeded")
      .map((run) => ({
        run_id: run.run_id,
        published_at: run.ended_at!,
        live: run.run_id === this.#live,
        detector: "watchkeeper",
        figures: figuresOf(run),
        can_roll_back: run.run_id !== this.#live,
      }));
    return { items, next: null };
  }

  /** Each run that the gate took has registered a version; the oldest has been rejected since. */
  models(): ModelDetail[] {
    const runs = this.#runs.filter((run) => run.status === "succeeded").reverse();
    return runs
      .map((run, index) => ({
        version: index + 1,
        approval: this.#verdicts.get(index + 1)?.approval ?? ("approved" as const),
        said: this.#verdicts.get(index + 1)?.said ?? `Published by ${run.execution}`,
        created_at: run.ended_at!,
        run_id: run.run_id,
        serves: run.run_id === this.#live,
        kept: true,
        figures: figuresOf(run),
        arn: `arn:aws:sagemaker:eu-central-1:123456789012:model-package/watchkeeper-air-quality/${index + 1}`,
        artifacts: [`s3://data/runs/air_quality/${run.run_id}/detector/model.tar.gz`],
        table: run.table,
        labelled: run.labelled,
        judged_by: run.judged_by,
        charts: run.charts,
        report: run.report,
        expires_in_seconds: run.expires_in_seconds,
      }))
      .reverse();
  }

  judge(version: number, approval: "approved" | "rejected", who: string, note: string | null): void {
    this.#verdicts.set(version, { approval, said: `${approval} by ${who}${note ? `: ${note}` : ""}` });
  }

  /** Let a run's release judge again; returns the run whose release did. */
  rollBack(id: string): string {
    const before = this.#live;
    this.#live = id;
    return before;
  }

  #run(workload: string, status: Run["status"], started: number, reason: string): RunDetail {
    const run_id = `${iso(started).replaceAll(/[-:T]|\..*|Z/g, "")}-${Math.floor(chance(workload, started) * 2 ** 24).toString(16).padStart(6, "0")}`;
    const { states, ended } = went(status, started, this.now);
    const isJudged = status === "succeeded" || status === "rejected";
    const part = (name: string, from: number, to: number) => Number((from + (to - from) * chance(run_id, name)).toFixed(4));
    const alerts = status === "rejected" ? 9.5 : part("alerts", 1, 6.5);
    const auc = part("auc", 0.62, 0.81);
    return {
      run_id,
      execution: `arn:aws:states:eu-central-1:123456789012:execution:watchkeeper-${workload}-training:${run_id}`,
      status,
      reason,
      started_at: iso(started),
      ended_at: ended === null ? null : iso(ended),
      model: status === "succeeded" ? `watchkeeper-${workload}-model-${run_id}` : null,
      gate: isJudged
        ? {
            passed: status === "succeeded",
            reasons:
              status === "succeeded"
                ? ["3,412 different scores on 4,032 rows.", `${alerts.toFixed(2)} alerts a week, within the budget of 7 for all series together.`, `PR-AUC ${auc} is above the trivial detector's 0.2141.`]
                : ["9.50 alerts a week, over the budget of 7 for all series together."],
          }
        : null,
      error: status === "failed" ? "InvalidInputError" : null,
      cause: status === "failed" ? CAUSE : null,
      states,
      table: isJudged
        ? [
            { figure: "threshold", candidate: 0.375, champion: 0.381, baseline: 3 },
            { figure: "n", candidate: 4032, champion: 4032, baseline: 4032 },
            { figure: "anomalies", candidate: 41, champion: 41, baseline: 41 },
            { figure: "alerts_per_week", candidate: alerts, champion: 5.25, baseline: 11 },
            { figure: "distinct_scores", candidate: 3412, champion: 3398, baseline: 4032 },
            { figure: "precision", candidate: part("precision", 0.6, 0.9), champion: 0.71, baseline: null },
            { figure: "recall", candidate: part("recall", 0.5, 0.8), champion: 0.59, baseline: null },
            { figure: "f1", candidate: part("f1", 0.6, 0.8), champion: 0.644, baseline: 0.25 },
            { figure: "pr_auc", candidate: auc, champion: 0.64, baseline: 0.2141 },
          ]
        : [],
      labelled: isJudged ? true : null,
      judged_by: isJudged ? "events" : null,
      charts: isJudged ? ["alerts.png", "scores.png"].map((name) => ({ name, url: `/watch/workloads/${workload}/runs/${run_id}/charts/${name}` })) : [],
      report: isJudged ? "https://reports.example/explanation.html" : null,
      expires_in_seconds: 900,
    };
  }
}

function figuresOf(run: RunDetail): Release["figures"] {
  return Object.fromEntries(run.table.filter((row) => ["alerts_per_week", "f1", "pr_auc"].includes(row.figure)).map((row) => [row.figure, row.candidate]));
}

function went(status: Run["status"], started: number, now: number): { states: RunState[]; ended: number | null } {
  const way = WAYS[status];
  const entered = new Map<string, [number, number | null]>();
  let at = started;
  way.forEach((name, index) => {
    const isLast = index === way.length - 1;
    const seconds = WORKFLOW.find(([each]) => each === name)![2] * (status === "running" ? 0.4 : 1);
    const isOpen = isLast && status === "running";
    entered.set(name, [Math.min(at, now), isOpen ? null : at + seconds]);
    at += seconds;
  });
  const states = WORKFLOW.map(([name, kind, , next]): RunState => {
    const [from, to] = entered.get(name) ?? [null, null];
    const isFailed = status === "failed" && name === "PrepareHistory";
    return {
      name,
      kind,
      status: from === null ? "waiting" : isFailed ? "caught" : to === null ? "running" : name === "Failed" ? "failed" : "succeeded",
      entered_at: from === null ? null : iso(from),
      exited_at: to === null ? null : iso(to),
      visits: from === null ? 0 : status === "succeeded" && /^(WaitFor|Describe|EndpointS)/.test(name) ? 6 : 1,
      error: isFailed ? "InvalidInputError" : null,
      cause: isFailed ? CAUSE : null,
      next,
    };
  });
  return { states, ended: status === "running" ? null : at };
}

/** A picture in place of those that a training draws. */
export function drawing(name: string): string {
  const points = Array.from({ length: 60 }, (_, index) => `${10 + index * 6.4},${150 - 120 * chance(name, index) ** 3}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="170" viewBox="0 0 400 170"><rect width="400" height="170" fill="#fff"/><path d="M10 40H390" stroke="#a05a00" stroke-dasharray="5 4"/><polyline points="${points.join(" ")}" fill="none" stroke="#1d4f91" stroke-width="1.5"/></svg>`;
}
