/** Work that recurs on a bus. Mutable on purpose: it is moved a thousand times a second. */
export interface DueTask {
  /** Uptime in ms from which it may run. */
  due: number;
  /** Taken out of the schedule: dropped when its turn comes. */
  retired: boolean;
}

/** Binary heap: the task that has been due longest first. */
export class DueHeap<Task extends DueTask> {
  readonly #tasks: Task[] = [];

  get size(): number {
    return this.#tasks.length;
  }

  /** The task due first, retired ones put away. */
  peek(): Task | undefined {
    let first = this.#tasks[0];
    while (first?.retired === true) {
      this.take();
      first = this.#tasks[0];
    }
    return first;
  }

  push(task: Task): void {
    const tasks = this.#tasks;
    let place = tasks.length;
    tasks.push(task);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = tasks[above];
      if (parent === undefined || parent.due <= task.due) break;
      tasks[place] = parent;
      place = above;
    }
    tasks[place] = task;
  }

  take(): Task | undefined {
    const first = this.#tasks[0];
    const last = this.#tasks.pop();
    if (last !== undefined && this.#tasks.length > 0) this.#sink(last);
    return first;
  }

  clear(): void {
    this.#tasks.length = 0;
  }

  #sink(task: Task): void {
    const tasks = this.#tasks;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      const left = tasks[below];
      const right = tasks[below + 1];
      if (left === undefined) break;
      let child = left;
      if (right !== undefined && right.due < left.due) {
        child = right;
        below += 1;
      }
      if (child.due >= task.due) break;
      tasks[place] = child;
      place = below;
    }
    tasks[place] = task;
  }
}
